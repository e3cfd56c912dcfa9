"""Count the multiply-adds and outputs of single operators.

A handle is called with the inputs and the outputs of one operator of a traced graph
(``torch._C.Value``) and returns a number, or counts by operator name. One multiply-add is one flop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol, TypeAlias

from .einsum_cost import einsum_cost

__all__ = [
    "Handle",
    "addmm_flop_jit",
    "attention_activation_jit",
    "attention_flop_jit",
    "baddbmm_flop_jit",
    "batchnorm_flop_jit",
    "bmm_flop_jit",
    "conv_flop_count",
    "conv_flop_jit",
    "einsum_flop_jit",
    "elementwise_flop_counter",
    "generic_activation_jit",
    "get_shape",
    "linear_flop_jit",
    "matmul_flop_jit",
    "norm_flop_counter",
]

Number: TypeAlias = int | float


class Value(Protocol):
    """Members of ``torch._C.Value`` that handles use."""

    def type(self) -> Any: ...
    def node(self) -> Any: ...
    def toIValue(self) -> Any: ...  # noqa: N802 - the name in torch
    def isCompleteTensor(self) -> bool: ...  # noqa: N802


Handle: TypeAlias = Callable[[list[Value], list[Value]], "Number | Counter[str]"]


def get_shape(val: Value) -> list[int] | None:
    """Return the shape of a value of a traced graph.

    Args:
        val: The value.

    Returns:
        The shape; None if the value is not a tensor, such as a missing bias.
    """
    return list(val.type().sizes()) if val.isCompleteTensor() else None


def elementwise_flop_counter(input_scale: float = 1, output_scale: float = 0) -> Handle:
    """Make a handle that counts by the sizes of the first input and the first output.

    Args:
        input_scale: Flops per element of the input. Defaults to 1.
        output_scale: Flops per element of the output. Defaults to 0.

    Returns:
        The handle.
    """

    def count(inputs: list[Value], outputs: list[Value]) -> Number:
        flops: Number = 0
        if input_scale:
            flops += input_scale * prod(_require_shape(inputs[0]))
        if output_scale:
            flops += output_scale * prod(_require_shape(outputs[0]))
        return flops

    return count


def generic_activation_jit(op_name: str | None = None) -> Handle:
    """Make a handle that counts the elements of the first output.

    Args:
        op_name: Name of the count. Defaults to None: the name of the operator.

    Returns:
        The handle.
    """

    def count(inputs: list[Value], outputs: list[Value]) -> Number | Counter[str]:
        size = prod(_require_shape(outputs[0]))
        return size if op_name is None else Counter({op_name: size})

    return count


def linear_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``linear(x, weight, bias)``: elements of x times output features."""
    features = _require_shape(inputs[1])
    return prod(_require_shape(inputs[0])) * (features[0] if len(features) > 1 else 1)


def addmm_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``addmm(bias, a, b)`` of shapes (n, k) and (k, m): n k m."""
    return _product_flops(inputs[1], outputs[0])


def matmul_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``matmul(a, b)``: elements of the output times the length of the inner dimension.

    Broadcast batch dimensions are counted in full.
    """
    return _product_flops(inputs[0], outputs[0])


def bmm_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``bmm(a, b)`` of shapes (n, c, t) and (n, t, d): n c t d."""
    return _product_flops(inputs[0], outputs[0])


def baddbmm_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``baddbmm(bias, a, b)``, as :func:`bmm_flop_jit` does for a and b."""
    return _product_flops(inputs[1], outputs[0])


def conv_flop_count(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    out_shape: Sequence[int],
    transposed: bool = False,
) -> Counter[str]:
    """Count a convolution, without its bias.

    Args:
        x_shape: Shape of the input, (N, C, ...), or (C, ...) of a single sample.
        w_shape: Shape of the weight, with the input channels of one group.
        out_shape: Shape of the output.
        transposed: Whether it is a transposed convolution. Defaults to False.

    Returns:
        The flops under the name ``'conv'``.
    """
    spatial = len(w_shape) - 2
    batch = prod(x_shape[: len(x_shape) - spatial - 1])
    positions = (x_shape if transposed else out_shape)[len(out_shape) - spatial :]
    return Counter({"conv": batch * prod(w_shape) * prod(positions)})


def conv_flop_jit(inputs: list[Value], outputs: list[Value]) -> Counter[str]:
    """Count a convolution of any dimension, transposed or not."""
    x, weight, output = map(_require_shape, (inputs[0], inputs[1], outputs[0]))
    return conv_flop_count(x, weight, output, transposed=_is_transposed(inputs))


def einsum_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``einsum(equation, operands)`` along its cheapest path."""
    operands = [_require_shape(value) for value in inputs[1].node().inputs()]
    return einsum_cost(inputs[0].toIValue(), operands)


def norm_flop_counter(affine_arg_index: int) -> Handle:
    """Make a handle for a norm: 5 flops per element with an affine map, 4 without.

    Args:
        affine_arg_index: Index of the weight in the inputs of the operator.

    Returns:
        The handle.
    """

    def count(inputs: list[Value], outputs: list[Value]) -> Number:
        is_affine = get_shape(inputs[affine_arg_index]) is not None
        return prod(_require_shape(inputs[0])) * (5 if is_affine else 4)

    return count


def batchnorm_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count a batch norm: in training like a norm; else 2 flops per element, 1 if not affine."""
    if inputs[5].toIValue():
        return norm_flop_counter(1)(inputs, outputs)  # type: ignore[return-value]
    is_affine = get_shape(inputs[1]) is not None
    return prod(_require_shape(inputs[0])) * (2 if is_affine else 1)


def attention_flop_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count ``scaled_dot_product_attention(query, key, value)`` as its two matrix products."""
    query, output = _require_shape(inputs[0]), _require_shape(outputs[0])
    return _count_scores(inputs, outputs) * (query[-1] + output[-1])


def attention_activation_jit(inputs: list[Value], outputs: list[Value]) -> Number:
    """Count the outputs of both matrix products of an attention, as if it were not fused."""
    return _count_scores(inputs, outputs) + prod(_require_shape(outputs[0]))


def _count_scores(inputs: list[Value], outputs: list[Value]) -> int:
    """Count the pairs of a query and a key, over all batches and heads."""
    return prod(_require_shape(outputs[0])[:-1]) * _require_shape(inputs[1])[-2]


def _product_flops(first: Value, output: Value) -> int:
    return prod(_require_shape(output)) * _require_shape(first)[-1]


def _is_transposed(inputs: list[Value]) -> bool:
    """Whether ``_convolution`` is transposed; ``_convolution_mode``, of fewer inputs, never is."""
    return len(inputs) > 8 and inputs[6].toIValue() is True


def _require_shape(value: Value) -> list[int]:
    shape = get_shape(value)
    if shape is None:
        raise ValueError(f"unknown shape of {value}: it was not traced as a tensor")
    return shape
