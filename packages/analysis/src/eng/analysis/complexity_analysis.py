"""Analyze the flops and activations of a model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from .jit_analysis import JitModelAnalysis
from .jit_handles import (
    Handle,
    addmm_flop_jit,
    attention_activation_jit,
    attention_flop_jit,
    baddbmm_flop_jit,
    batchnorm_flop_jit,
    bmm_flop_jit,
    conv_flop_jit,
    einsum_flop_jit,
    elementwise_flop_counter,
    generic_activation_jit,
    linear_flop_jit,
    matmul_flop_jit,
    norm_flop_counter,
)

__all__ = ["ActivationAnalyzer", "FlopAnalyzer", "activation_count", "flop_count"]


class FlopAnalyzer(JitModelAnalysis):
    """Counts flops; one multiply-add is one flop.

    It counts convolutions, matrix products, attention, norms, interpolation and adaptive average
    pooling. Operators that are neither counted nor ignored are in :meth:`unsupported_ops`.

    Args:
        model: See :class:`eng.analysis.JitModelAnalysis`.
        inputs: See :class:`eng.analysis.JitModelAnalysis`.
    """

    _HANDLES: ClassVar[Mapping[str, Handle]] = {
        "aten::_convolution": conv_flop_jit,
        "aten::_convolution_mode": conv_flop_jit,
        "aten::adaptive_avg_pool2d": elementwise_flop_counter(1, 0),
        "aten::addmm": addmm_flop_jit,
        "aten::baddbmm": baddbmm_flop_jit,
        "aten::batch_norm": batchnorm_flop_jit,
        "aten::bmm": bmm_flop_jit,
        "aten::einsum": einsum_flop_jit,
        "aten::grid_sampler": elementwise_flop_counter(0, 4),
        "aten::group_norm": norm_flop_counter(2),
        "aten::instance_norm": norm_flop_counter(1),
        "aten::layer_norm": norm_flop_counter(2),
        "aten::linear": linear_flop_jit,
        "aten::matmul": matmul_flop_jit,
        "aten::mm": matmul_flop_jit,
        "aten::scaled_dot_product_attention": attention_flop_jit,
        "aten::upsample_bilinear2d": elementwise_flop_counter(0, 4),
        "aten::upsample_nearest2d": elementwise_flop_counter(0, 1),
    }

    def __init__(self, model: nn.Module, inputs: Tensor | tuple[object, ...]) -> None:
        super().__init__(model, inputs)
        self.set_op_handle(**self._HANDLES)


class ActivationAnalyzer(JitModelAnalysis):
    """Counts activations: the elements of the outputs of convolutions and matrix products.

    Args:
        model: See :class:`eng.analysis.JitModelAnalysis`.
        inputs: See :class:`eng.analysis.JitModelAnalysis`.
    """

    _HANDLES: ClassVar[Mapping[str, Handle]] = {
        "aten::_convolution": generic_activation_jit("conv"),
        "aten::_convolution_mode": generic_activation_jit("conv"),
        "aten::addmm": generic_activation_jit(),
        "aten::baddbmm": generic_activation_jit(),
        "aten::bmm": generic_activation_jit(),
        "aten::einsum": generic_activation_jit(),
        "aten::linear": generic_activation_jit(),
        "aten::matmul": generic_activation_jit(),
        "aten::scaled_dot_product_attention": attention_activation_jit,
    }

    def __init__(self, model: nn.Module, inputs: Tensor | tuple[object, ...]) -> None:
        super().__init__(model, inputs)
        self.set_op_handle(**self._HANDLES)


def flop_count(
    model: nn.Module,
    inputs: tuple[object, ...],
    supported_ops: Mapping[str, Handle | None] | None = None,
) -> tuple[defaultdict[str, float], Counter[str]]:
    """Count the flops of a model by operator.

    Args:
        model: The model.
        inputs: Arguments of its forward.
        supported_ops: Handles of further operators, which take precedence over the default ones;
            None ignores an operator. Defaults to None.

    Returns:
        Gigaflops by operator, and the number of calls of unsupported operators.
    """
    return _count(FlopAnalyzer(model, inputs), supported_ops, 1e9)


def activation_count(
    model: nn.Module,
    inputs: tuple[object, ...],
    supported_ops: Mapping[str, Handle | None] | None = None,
) -> tuple[defaultdict[str, float], Counter[str]]:
    """Count the activations of a model by operator.

    Args:
        model: The model.
        inputs: Arguments of its forward.
        supported_ops: Handles of further operators, which take precedence over the default ones;
            None ignores an operator. Defaults to None.

    Returns:
        Millions of activations by operator, and the number of calls of unsupported operators.
    """
    return _count(ActivationAnalyzer(model, inputs), supported_ops, 1e6)


def _count(
    analyzer: JitModelAnalysis, supported_ops: Mapping[str, Handle | None] | None, unit: float
) -> tuple[defaultdict[str, float], Counter[str]]:
    analyzer.set_op_handle(**(supported_ops or {}))
    counts: defaultdict[str, float] = defaultdict(float)
    for name, count in analyzer.by_operator().items():
        counts[name] = count / unit
    return counts, analyzer.unsupported_ops()
