"""Initialize one layer: its ``weight`` from a distribution, its ``bias`` with a constant.

A weight or bias that is missing or None is skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from eng.utils import ArgumentValueError

__all__ = [
    "bias_init_with_prob",
    "caffe2_xavier_init",
    "constant_init",
    "kaiming_init",
    "normal_init",
    "trunc_normal_init",
    "uniform_init",
    "xavier_init",
]


def constant_init(module: nn.Module, val: float, bias: float = 0) -> None:
    """Fill the weight with one value.

    Args:
        module: The layer.
        val: The value.
        bias: Value of the bias. Defaults to 0.
    """
    _fill(module, nn.init.constant_, bias, val=val)


def xavier_init(
    module: nn.Module, gain: float = 1, bias: float = 0, distribution: str = "normal"
) -> None:
    """Draw the weight so that variances are preserved in both directions.

    From "Understanding the difficulty of training deep feedforward neural networks" (Glorot and
    Bengio, 2010).

    Args:
        module: The layer.
        gain: Factor on the standard deviation. Defaults to 1.
        bias: Value of the bias. Defaults to 0.
        distribution: ``'normal'`` (default) or ``'uniform'``.

    Raises:
        ValueError: If the distribution is unknown.
    """
    choices = {"normal": nn.init.xavier_normal_, "uniform": nn.init.xavier_uniform_}
    _fill(module, _choose(choices, distribution), bias, gain=gain)


def normal_init(module: nn.Module, mean: float = 0, std: float = 1, bias: float = 0) -> None:
    """Draw the weight from a normal distribution.

    Args:
        module: The layer.
        mean: Its mean. Defaults to 0.
        std: Its standard deviation. Defaults to 1.
        bias: Value of the bias. Defaults to 0.
    """
    _fill(module, nn.init.normal_, bias, mean=mean, std=std)


def trunc_normal_init(
    module: nn.Module,
    mean: float = 0,
    std: float = 1,
    a: float = -2,
    b: float = 2,
    bias: float = 0,
) -> None:
    """Draw the weight from a normal distribution truncated to [a, b].

    Args:
        module: The layer.
        mean: Mean of the distribution before truncation. Defaults to 0.
        std: Standard deviation before truncation. Defaults to 1.
        a: The minimum. Defaults to -2.
        b: The maximum. Defaults to 2.
        bias: Value of the bias. Defaults to 0.
    """
    _fill(module, nn.init.trunc_normal_, bias, mean=mean, std=std, a=a, b=b)


def uniform_init(module: nn.Module, a: float = 0, b: float = 1, bias: float = 0) -> None:
    """Draw the weight from a uniform distribution.

    Args:
        module: The layer.
        a: The minimum. Defaults to 0.
        b: The maximum. Defaults to 1.
        bias: Value of the bias. Defaults to 0.
    """
    _fill(module, nn.init.uniform_, bias, a=a, b=b)


def kaiming_init(
    module: nn.Module,
    a: float = 0,
    mode: str = "fan_out",
    nonlinearity: str = "relu",
    bias: float = 0,
    distribution: str = "normal",
) -> None:
    """Draw the weight so that variances are preserved in one direction, with the nonlinearity.

    From "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
    Classification" (He et al., 2015).

    Args:
        module: The layer.
        a: Negative slope of the rectifier after the layer, for ``'leaky_relu'``. Defaults to 0.
        mode: ``'fan_in'`` preserves variances in the forward pass, ``'fan_out'`` (default) in the
            backward pass.
        nonlinearity: Name of the function in :mod:`torch.nn.functional`, ``'relu'`` (default) or
            ``'leaky_relu'``.
        bias: Value of the bias. Defaults to 0.
        distribution: ``'normal'`` (default) or ``'uniform'``.

    Raises:
        ValueError: If the distribution is unknown.
    """
    choices = {"normal": nn.init.kaiming_normal_, "uniform": nn.init.kaiming_uniform_}
    _fill(module, _choose(choices, distribution), bias, a=a, mode=mode, nonlinearity=nonlinearity)


def caffe2_xavier_init(module: nn.Module, bias: float = 0) -> None:
    """Draw the weight like ``XavierFill`` of Caffe2: uniformly, by the fan-in only.

    Args:
        module: The layer.
        bias: Value of the bias. Defaults to 0.
    """
    kaiming_init(
        module,
        a=1,
        mode="fan_in",
        nonlinearity="leaky_relu",
        bias=bias,
        distribution="uniform",
    )


def bias_init_with_prob(prior_prob: float) -> float:
    """Return the bias with which a sigmoid outputs a probability at the start of training.

    From "Focal Loss for Dense Object Detection" (Lin et al., 2017), section 4.1.

    Args:
        prior_prob: The probability, in (0, 1).

    Returns:
        The bias, ``-log((1 - prior_prob) / prior_prob)``.

    Raises:
        ValueError: If the probability is outside (0, 1).
    """
    if not 0 < prior_prob < 1:
        raise ValueError(f"prior_prob must be in (0, 1), not {prior_prob}")
    return float(-math.log((1 - prior_prob) / prior_prob))


def _fill(module: nn.Module, fill: Callable[..., Tensor], bias: float, **settings: object) -> None:
    weight, offset = getattr(module, "weight", None), getattr(module, "bias", None)
    if isinstance(weight, Tensor):
        fill(weight, **settings)
    if isinstance(offset, Tensor):
        nn.init.constant_(offset, bias)


def _choose(choices: dict[str, Callable[..., Tensor]], distribution: str) -> Callable[..., Tensor]:
    if distribution not in choices:
        raise ArgumentValueError(
            f"distribution should be one of {sorted(choices)}, not {distribution!r}"
        )
    return choices[distribution]
