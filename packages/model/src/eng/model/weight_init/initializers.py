"""Initialisers: objects that initialise every layer of some classes in a module."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from numbers import Number
from typing import Any

from torch import nn

from eng.checkpoint import CheckpointError, CheckpointLoader, load_state_dict, model_state
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


class BaseInit:
    """Base class of initialisers, which are called with a module.

    A subclass says in ``_layer_init`` how one layer is initialised.

    Args:
        bias: Value of biases. Defaults to 0.
        bias_prob: Probability that a sigmoid after the layer gives at the start; it decides over
            the bias. Defaults to None.
        layer: Name of the class of the layers to initialise, or the class, or a list of such.
            Layers of derived classes are meant as well. Defaults to None: no layer, unless
            ``wholemodule`` is set.

    Attributes:
        wholemodule: Whether every layer is initialised, whatever its class. False; set where a
            config overrides the initialisation of a child.

    Raises:
        TypeError: If an argument is of another type.
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
        """Initialise the layers of a module; a warning tells if none is of the classes named.

        Args:
            module: The module.
        """
        meant = [part for part in module.modules() if self.wholemodule or self._is_named(part)]
        for part in meant:
            self._layer_init()(part)
        if self.layer and not meant:
            print_log(
                f"{type(self).__name__} has nothing to do: {type(module).__name__} has no layer of "
                f"{', '.join(self.layer)}",
                logger="current",
                level=logging.WARNING,
            )
        update_init_info(module, self._get_init_info())

    def _is_named(self, part: nn.Module) -> bool:
        return any(cls.__name__ in self.layer for cls in type(part).__mro__)

    def _layer_init(self) -> Callable[[nn.Module], None]:
        """What initialises one layer."""
        raise NotImplementedError(f"{type(self).__name__} must implement _layer_init")

    def _get_init_info(self) -> str:
        """How this initialiser is recorded."""
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

    def __init__(self, val: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.val = val

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(constant_init, val=self.val, bias=self.bias)


@WEIGHT_INITIALIZERS.register_module(name=["Xavier", "XavierInit"])
class XavierInit(BaseInit):
    """Keep variances in both directions, see :func:`xavier_init`.

    Args:
        gain: Factor on the standard deviation. Defaults to 1.
        distribution: ``'normal'`` (default) or ``'uniform'``.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, gain: float = 1, distribution: str = "normal", **kwargs: Any) -> None:
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

    def __init__(self, mean: float = 0, std: float = 1, **kwargs: Any) -> None:
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
        mean: Mean before it is cut. Defaults to 0.
        std: Standard deviation before it is cut. Defaults to 1.
        a: The lowest value. Defaults to -2.
        b: The highest value. Defaults to 2.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(
        self, mean: float = 0, std: float = 1, a: float = -2, b: float = 2, **kwargs: Any
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
        a: The lowest value. Defaults to 0.
        b: The highest value. Defaults to 1.
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, a: float = 0, b: float = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.b = b

    @override
    def _layer_init(self) -> Callable[[nn.Module], None]:
        return partial(uniform_init, a=self.a, b=self.b, bias=self.bias)


@WEIGHT_INITIALIZERS.register_module(name=["Kaiming", "KaimingInit"])
class KaimingInit(BaseInit):
    """Keep variances in one direction, the nonlinearity counted in, see :func:`kaiming_init`.

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
        **kwargs: Any,
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
    """Draw weights as Caffe2's ``XavierFill`` does, see :func:`caffe2_xavier_init`.

    Args:
        **kwargs: Arguments of :class:`BaseInit`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            a=1, mode="fan_in", nonlinearity="leaky_relu", distribution="uniform", **kwargs
        )


@WEIGHT_INITIALIZERS.register_module(name=["Pretrained", "PretrainedInit"])
class PretrainedInit:
    """Load the parameters of a trained model; what does not fit is logged and left out.

    Args:
        checkpoint: Path or address of the checkpoint, see :class:`eng.checkpoint.CheckpointLoader`.
        prefix: Name of the part of the trained model that the module is to be, such as
            ``'backbone.'``. Defaults to None, all of it.
        map_location: As for :func:`torch.load`. Defaults to None.
    """

    def __init__(
        self, checkpoint: str, prefix: str | None = None, map_location: Any = None
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location

    def __call__(self, module: nn.Module) -> None:
        """Load the parameters into a module.

        Args:
            module: The module.

        Raises:
            CheckpointError: If the checkpoint holds no weights, or none under the prefix.
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
                    f"{self.checkpoint!r} has nothing under the prefix {start!r}; it has {tops}"
                )
            state = part
        load_state_dict(module, state, strict=False, logger="current")
        update_init_info(module, self._get_init_info())

    def _get_init_info(self) -> str:
        part = f", prefix={self.prefix!r}" if self.prefix is not None else ""
        return f"{type(self).__name__}: load from {self.checkpoint}{part}"
