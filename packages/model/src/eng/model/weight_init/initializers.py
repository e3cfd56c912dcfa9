"""Initializers of all layers of some classes in a module."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from numbers import Number
from typing import TYPE_CHECKING, TypedDict

from torch import nn

from eng.checkpoint import (
    CheckpointError,
    CheckpointLoader,
    MapLocation,
    load_state_dict,
    model_state,
)
from eng.logging import print_log
from eng.registry import WEIGHT_INITIALIZERS
from eng.utils import override

from .functions import (
    bias_init_with_prob,
    constant_init,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from .record import update_init_info

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "BaseInit",
    "Caffe2XavierInit",
    "ConstantInit",
    "KaimingInit",
    "NormalInit",
    "PretrainedInit",
    "TruncNormalInit",
    "UniformInit",
    "XavierInit",
]


class InitArguments(TypedDict, total=False):
    """Keyword arguments of :class:`BaseInit`, which all initializers take."""

    bias: float
    bias_prob: float | None
    layer: str | type | list[str | type] | None


class BaseInit:
    """Base class of initializers, which are called with a module.

    A subclass returns the initialization of one layer from ``_layer_init``.

    Args:
        bias: Value of biases. Defaults to 0.
        bias_prob: Initial output of a sigmoid after the layer; takes precedence over ``bias``.
            Defaults to None.
        layer: Name of the class of the layers to initialize, or the class, or a list of such.
            Subclasses are included. Defaults to None: no layer, unless ``wholemodule`` is set.

    Attributes:
        wholemodule: Whether to initialize layers of any class. False by default; set if a config
            overrides the initialization of a child.

    Raises:
        TypeError: If an argument has another type.
    """

    def __init__(
        self,
        *,
        bias: float = 0,
        bias_prob: float | None = None,
        layer: str | type | list[str | type] | None = None,
    ) -> None:
        if not isinstance(bias, Number):
            raise TypeError(f"bias must be a number, not {type(bias).__name__}")
        if bias_prob is not None and not isinstance(bias_prob, float):
            raise TypeError(f"bias_prob must be a float, not {type(bias_prob).__name__}")
        layers = layer if isinstance(layer, (list, tuple)) else [] if layer is None else [layer]
        for each in layers:
            if not isinstance(each, (str, type)):
                raise TypeError(
                    f"layer must be a str or a list of str, or classes, not {type(each).__name__}"
                )
        self.wholemodule = False
        self.bias = bias if bias_prob is None else bias_init_with_prob(bias_prob)
        self.layer = [each if isinstance(each, str) else each.__name__ for each in layers]

    def __call__(self, module: nn.Module) -> None:
        """Initialize the layers of a module; warns if it has no layer of the classes.

        Args:
            module: The module.
        """
        chosen = [part for part in module.modules() if self.wholemodule or self._is_named(part)]
        for part in chosen:
            self._layer_init()(part)
        if self.layer and not chosen:
            print_log(
                f"{type(self).__name__} has no effect: {type(module).__name__} has no layer of "
                f"{', '.join(self.layer)}",
                logger="current",
                level=logging.WARNING,
            )
        update_init_info(module, self._get_init_info())

    def _is_named(self, part: nn.Module) -> bool:
        return any(cls.__name__ in self.layer for cls in type(part).__mro__)

    def _layer_init(self) -> Callable[[nn.Module], None]:
        """Return a function that initializes one layer."""
        raise NotImplementedError(f"{type(self).__name__} must implement _layer_init")

    def _get_init_info(self) -> str:
        """Describe this initializer for the record."""
        hidden = ("wholemodule", "layer")
        settings = [f"{name}={value}" for name, value in vars(self).items() if name not in hidden]
        return f"{type(self).__name__}: {', '.join(settings)}"


@WEIGHT_INITIALIZERS.register_module(name=["Constant", "ConstantInit"])
class ConstantInit(BaseInit):
    """Fill weights with one value, see :func:`constant_init`.

    Args:
        val: The value.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, val: float, **kwargs: Unpack[InitArguments]) -> None:
        super().__init__(**kwargs)
        self.val = val

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(constant_init, val=self.val, bias=self.bias)


@WEIGHT_INITIALIZERS.register_module(name=["Xavier", "XavierInit"])
class XavierInit(BaseInit):
    """Preserve variances in both directions, see :func:`xavier_init`.

    Args:
        gain: Factor on the standard deviation. Defaults to 1.
        distribution: ``'normal'`` (default) or ``'uniform'``.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(
        self, gain: float = 1, distribution: str = "normal", **kwargs: Unpack[InitArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.gain = gain
        self.distribution = distribution

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(xavier_init, gain=self.gain, bias=self.bias, distribution=self.distribution)


@WEIGHT_INITIALIZERS.register_module(name=["Normal", "NormalInit"])
class NormalInit(BaseInit):
    """Draw weights from a normal distribution, see :func:`normal_init`.

    Args:
        mean: Its mean. Defaults to 0.
        std: Its standard deviation. Defaults to 1.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, mean: float = 0, std: float = 1, **kwargs: Unpack[InitArguments]) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(normal_init, mean=self.mean, std=self.std, bias=self.bias)


@WEIGHT_INITIALIZERS.register_module(name=["TruncNormal", "TruncNormalInit"])
class TruncNormalInit(BaseInit):
    """Draw weights from a truncated normal distribution, see :func:`trunc_normal_init`.

    Args:
        mean: Mean before truncation. Defaults to 0.
        std: Standard deviation before truncation. Defaults to 1.
        a: The minimum. Defaults to -2.
        b: The maximum. Defaults to 2.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(
        self,
        mean: float = 0,
        std: float = 1,
        a: float = -2,
        b: float = 2,
        **kwargs: Unpack[InitArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std
        self.a = a
        self.b = b

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(
            trunc_normal_init, mean=self.mean, std=self.std, a=self.a, b=self.b, bias=self.bias
        )


@WEIGHT_INITIALIZERS.register_module(name=["Uniform", "UniformInit"])
class UniformInit(BaseInit):
    """Draw weights from a uniform distribution, see :func:`uniform_init`.

    Args:
        a: The minimum. Defaults to 0.
        b: The maximum. Defaults to 1.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, a: float = 0, b: float = 1, **kwargs: Unpack[InitArguments]) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.b = b

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(uniform_init, a=self.a, b=self.b, bias=self.bias)


@WEIGHT_INITIALIZERS.register_module(name=["Kaiming", "KaimingInit"])
class KaimingInit(BaseInit):
    """Preserve variances in one direction, with the nonlinearity, see :func:`kaiming_init`.

    Args:
        a: Negative slope of the rectifier after the layer. Defaults to 0.
        mode: ``'fan_in'`` or ``'fan_out'`` (default).
        nonlinearity: Name of the function after the layer. Defaults to ``'relu'``.
        distribution: ``'normal'`` (default) or ``'uniform'``.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(
        self,
        a: float = 0,
        mode: str = "fan_out",
        nonlinearity: str = "relu",
        distribution: str = "normal",
        **kwargs: Unpack[InitArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.mode = mode
        self.nonlinearity = nonlinearity
        self.distribution = distribution

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(
            kaiming_init,
            a=self.a,
            mode=self.mode,
            nonlinearity=self.nonlinearity,
            bias=self.bias,
            distribution=self.distribution,
        )


@WEIGHT_INITIALIZERS.register_module(name=["Caffe2Xavier", "Caffe2XavierInit"])
class Caffe2XavierInit(KaimingInit):
    """Draw weights like ``XavierFill`` of Caffe2, see :func:`caffe2_xavier_init`.

    Args:
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, **kwargs: Unpack[InitArguments]) -> None:
        super().__init__(
            a=1, mode="fan_in", nonlinearity="leaky_relu", distribution="uniform", **kwargs
        )


@WEIGHT_INITIALIZERS.register_module(name=["Pretrained", "PretrainedInit"])
class PretrainedInit:
    """Load pretrained parameters; missing and unexpected keys and size mismatches are logged.

    Args:
        checkpoint: Path or URL of the checkpoint, see :class:`eng.checkpoint.CheckpointLoader`.
        prefix: Prefix of the keys to load, such as ``'backbone.'``, which is removed. Defaults to
            None, all keys.
        map_location: See :func:`torch.load`. Defaults to None.
    """

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = None,
        map_location: MapLocation = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location

    def __call__(self, module: nn.Module) -> None:
        """Load the parameters into a module.

        Args:
            module: The module.

        Raises:
            CheckpointError: If the checkpoint has no weights, or none with the prefix.
        """
        loaded = CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location, "current")
        state = model_state(loaded, self.checkpoint, [(r"^module\.", "")])
        if self.prefix is not None:
            start = self.prefix.removesuffix(".") + "."
            part = model_state(
                {name: value for name, value in state.items() if name.startswith(start)},
                self.checkpoint,
                [(f"^{re.escape(start)}", "")],
            )
            if not part:
                tops = sorted({name.partition(".")[0] for name in state})
                raise CheckpointError(
                    f"{self.checkpoint!r} has no keys with the prefix {start!r}; it has {tops}"
                )
            state = part
        load_state_dict(module, state, strict=False, logger="current")
        update_init_info(module, self._get_init_info())

    def _get_init_info(self) -> str:
        part = f", prefix={self.prefix!r}" if self.prefix is not None else ""
        return f"{type(self).__name__}: load from {self.checkpoint}{part}"
