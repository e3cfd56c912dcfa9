"""Operators with negligible cost, which are ignored without a warning."""

from __future__ import annotations

from .jit_handles import Value
from .tracing import Operator

__all__ = ["is_ignored"]

_NAMES = """
Bool Float Int IntImplicit NumToTensor ScalarImplicit __and__ __or__ alias arange argmax argmin
as_strided bitwise_and bitwise_not bitwise_or broadcast_tensors cat channel_shuffle chunk clamp
clamp_ clamp_max clamp_min clone constant_pad_nd contiguous copy copy_ detach dim dropout
dropout_ embedding empty empty_like eq expand expand_as eye feature_dropout fill fill_ flatten
flip floor floor_divide full full_like gather ge gt hstack index index_copy index_put index_put_
index_select isnan item le lift_fresh linspace logical_and logical_not logical_or lt mT
masked_fill masked_fill_ masked_select max maximum meshgrid movedim narrow ne new_empty new_full
new_ones new_zeros nonzero numel numpy_T one_hot ones ones_like pad permute pixel_shuffle
pixel_unshuffle rand rand_like randn randn_like relu relu_ repeat repeat_interleave
requires_grad_ reshape reshape_as resolve_conj resolve_neg roll scatter scatter_ select
select_scatter size slice slice_scatter split split_with_sizes squeeze squeeze_ stack swapaxes
swapdims t take take_along_dim tensor_split tile to topk transpose tril triu type_as unbind
unflatten unfold unsafe_chunk unsafe_split unsqueeze unsqueeze_ view view_as vstack where zero_
zeros zeros_like
"""
_IGNORED = frozenset(f"aten::{name}" for name in _NAMES.split())
_INTEGERS = ("Long", "Int", "Short", "Char", "Byte", "Bool")  # names of dtypes in torch.jit
#: Operators of torch.jit that run other code: functions in Python and calls of scripts.
_RUNS_CODE = ("prim::PythonOp", "prim::Call", "prim::If", "prim::Loop")


def is_ignored(operator: Operator) -> bool:
    """Whether to ignore an operator without a handle.

    It reshapes, indexes, copies, compares or selects values, or computes integers, such as the
    sizes of a shape.
    """
    if operator.kind.startswith("prim::"):
        return not operator.kind.startswith(_RUNS_CODE)
    return operator.kind in _IGNORED or all(map(_is_integer, operator.outputs))


def _is_integer(value: Value) -> bool:
    kind = value.type()
    if kind.kind() != "TensorType":
        return kind.kind() in ("IntType", "BoolType")
    return bool(kind.dim() == 0 and kind.scalarType() in _INTEGERS)
