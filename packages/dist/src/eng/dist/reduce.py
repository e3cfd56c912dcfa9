"""Reduce tensors across processes."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
import torch.distributed as torch_dist
from torch import Tensor
from torch.distributed import ProcessGroup, ReduceOp

from eng.utils import ArgumentTypeError

from .devices import get_comm_device
from .failure import wait
from .groups import get_backend, get_world_size
from .tensors import all_gather

__all__ = ["all_reduce", "all_reduce_dict", "all_reduce_params"]

#: A reduce operation by name or as torch has it.
Op: TypeAlias = "str | ReduceOp | ReduceOp.RedOpType"

_OPS = {
    "sum": ReduceOp.SUM,
    "mean": ReduceOp.SUM,
    "product": ReduceOp.PRODUCT,
    "produce": ReduceOp.PRODUCT,
    "min": ReduceOp.MIN,
    "max": ReduceOp.MAX,
    "band": ReduceOp.BAND,
    "bor": ReduceOp.BOR,
    "bxor": ReduceOp.BXOR,
}
# functions that numpy and torch have under the same name
_FOLDS = {
    "sum": "add",
    "mean": "add",
    "product": "multiply",
    "produce": "multiply",
    "min": "minimum",
    "max": "maximum",
    "band": "bitwise_and",
    "bor": "bitwise_or",
    "bxor": "bitwise_xor",
}
_BITWISE = ("band", "bor", "bxor")
# what every backend reduces by itself; other dtypes are gathered and folded in each process
_NATIVE_DTYPES = frozenset(
    [torch.float16, torch.float32, torch.float64, torch.uint8, torch.int8, torch.int32, torch.int64]
)
# dtypes that PyTorch stores, and cannot add up or compare
_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
# bytes of each dtype that a thread keeps to join tensors on the CPU
_KEPT_MEMORY = 32 * 1024 * 1024
_kept = threading.local()


def all_reduce(data: Tensor, op: Op = "sum", group: ProcessGroup | None = None) -> None:
    """Reduce a tensor across all processes of a group, in place and bitwise equal in all of them.

    Args:
        data: Tensor of any dtype and device, of the same shape in every process.
        op: ``sum``, ``mean``, ``product`` (or ``produce``), ``min``, ``max``, ``band``, ``bor``,
            ``bxor``, or the ``ReduceOp`` of that name. The mean of integers is rounded toward
            zero; the sum of booleans is their "or".
        group: The group; the default group when None.

    Raises:
        ValueError: If the operation is unknown.
        TypeError: For a bitwise operation on floating-point numbers, the minimum or maximum of
            complex numbers, or the mean of booleans.
    """
    name = _normalize_op(op)
    _check_dtype(data.dtype, name)
    if get_world_size(group) == 1 or not data.numel():
        return
    with torch.no_grad():
        values = data.detach()
        reduced = _reduce(values, name, group)
        if reduced is not values:  # it was not reduced in place
            data.copy_(reduced)


def all_reduce_dict(
    data: dict[str, Tensor], op: Op = "sum", group: ProcessGroup | None = None
) -> None:
    """Reduce every tensor of a dict across all processes of a group.

    The tensors of one dtype are sent as one message. The dict gets new tensors, so that tensors in
    an autograd graph are not modified.

    Args:
        data: Tensors by name; the same names, shapes and dtypes in every process, in any order.
        op: See :func:`all_reduce`.
        group: The group; the default group when None.

    Raises:
        TypeError: If ``data`` is not a dict.
        ValueError: If the operation is unknown.
    """
    if not isinstance(data, dict):
        raise ArgumentTypeError(f"data must be a dict of tensors, not {type(data).__name__}")
    _normalize_op(op)
    if get_world_size(group) == 1:
        return
    # the order of insertion may differ between processes
    names = sorted(data)
    copies = [data[name].detach().clone() for name in names]
    all_reduce_params(copies, op=op, group=group)
    data.update(zip(names, copies, strict=True))


def all_reduce_params(
    params: Iterable[Tensor],
    coalesce: bool = True,
    bucket_size_mb: int = -1,
    op: Op = "sum",
    group: ProcessGroup | None = None,
) -> None:
    """Reduce parameters or buffers across all processes of a group, in place.

    Tensors on the CPU are joined in memory that the calling thread reuses in its next call with
    the same sizes: up to 32 MiB for each dtype.

    Args:
        params: The tensors, in the same order in every process.
        coalesce: Send tensors of one dtype and device as one flat tensor.
        bucket_size_mb: With ``coalesce``, the most megabytes to send at a time; no limit when
            negative or 0. A larger tensor is sent alone.
        op: See :func:`all_reduce`.
        group: The group; the default group when None.

    Raises:
        ValueError: If the operation is unknown.
    """
    name = _normalize_op(op)
    if get_world_size(group) == 1:
        return
    tensors = list(params)
    if not coalesce:
        for tensor in tensors:
            all_reduce(tensor, name, group)
        return
    limit = bucket_size_mb * 1024 * 1024 if bucket_size_mb > 0 else None
    with torch.no_grad():
        for bucket in _split_by_kind(tensors, limit):
            _reduce_joined(bucket, name, group)


def _reduce_joined(tensors: list[Tensor], name: str, group: ProcessGroup | None) -> None:
    """Reduce tensors of one dtype and device in place, as one message."""
    _check_dtype(tensors[0].dtype, name)
    # not for 1-D tensors: the call costs more than the copy
    parts = [tensor if tensor.dim() == 1 else tensor.flatten() for tensor in tensors]
    sizes = [part.numel() for part in parts]
    if not any(sizes):
        return
    with _join(sizes, tensors[0]) as joint:
        torch.cat(parts, out=joint.flat)
        reduced = _reduce(joint.flat, name, group)
        views = joint.views if reduced is joint.flat else reduced.split_with_sizes(sizes)
        # as in torch's optimizers: one copy for each tensor takes twice the time
        torch._foreach_copy_(parts, views)
    for tensor, part in zip(tensors, parts, strict=True):
        if part is not tensor and not tensor.is_contiguous():  # the part may be a copy
            tensor.copy_(part.view(tensor.shape))


class _Joint(NamedTuple):
    """A flat tensor, and views of it with the sizes of the tensors that it joins."""

    flat: Tensor
    sizes: list[int]
    views: tuple[Tensor, ...]


@contextmanager
def _join(sizes: list[int], like: Tensor) -> Iterator[_Joint]:
    """Yield a flat tensor to join others in; on the CPU it is reused for the same sizes.

    Allocating memory costs more than the copies: without reuse, reducing 200 tensors of 1,000
    numbers takes twice the time of reducing a flat one. Accelerators have caching allocators.
    """
    key = str(like.dtype)
    joint = _kept.__dict__.pop(key, None) if like.device.type == "cpu" else None
    if joint is None or joint.sizes != sizes:
        with torch.inference_mode(False):  # reusable in a later call outside of that mode
            flat = torch.empty(sum(sizes), dtype=like.dtype, device=like.device)
            joint = _Joint(flat, sizes, flat.split_with_sizes(sizes))
    yield joint
    # not after an error: a failed collective may still write to it
    if like.device.type == "cpu" and joint.flat.nbytes <= _KEPT_MEMORY:
        setattr(_kept, key, joint)


def _normalize_op(op: Op) -> str:
    if isinstance(op, str):
        if op.lower() in _OPS:
            return op.lower()
    else:
        if op == ReduceOp.AVG:
            return "mean"
        for name, known in _OPS.items():
            if op == known:
                return name
    raise ValueError(f"unknown reduce operation {op!r}, expected one of: {', '.join(_OPS)}")


def _check_dtype(dtype: torch.dtype, name: str) -> None:
    if name in _BITWISE and (dtype.is_floating_point or dtype.is_complex):
        raise TypeError(f"{name} supports only integers and booleans, not {dtype}")
    if name in ("min", "max") and dtype.is_complex:
        raise TypeError(f"{name} does not support {dtype}: complex numbers are not ordered")
    if name == "mean" and dtype is torch.bool:
        raise TypeError("mean does not support torch.bool: convert the tensor to a number type")


def _reduce(data: Tensor, name: str, group: ProcessGroup | None) -> Tensor:
    if not _is_native(data.dtype, name, group):
        return _gather_and_fold(data, name, group)
    device = get_comm_device(group)
    buffer = data.to(device).contiguous()
    work = torch_dist.all_reduce(buffer, op=_OPS[name], group=group, async_op=True)
    wait(work, f"all_reduce({name})", group)
    return _divide(buffer, group) if name == "mean" else buffer


def _is_native(dtype: torch.dtype, name: str, group: ProcessGroup | None) -> bool:
    on_gloo = "gloo" in (get_backend(group) or "")
    return dtype in _NATIVE_DTYPES and (name not in _BITWISE or on_gloo)


def _gather_and_fold(data: Tensor, name: str, group: ProcessGroup | None) -> Tensor:
    parts = all_gather(data, group)
    if data.dtype in _UNSIGNED:
        return _fold_unsigned(parts, name)
    is_float8 = data.is_floating_point() and data.element_size() == 1
    first, *others = (part.float() if is_float8 else part for part in parts)
    for other in others:
        first = getattr(torch, _FOLDS[name])(first, other)
    return _divide(first, group) if name == "mean" else first


def _fold_unsigned(parts: list[Tensor], name: str) -> Tensor:
    arrays = [part.cpu().numpy() for part in parts]
    # in uint64, sums of 16 and 32 bits do not overflow before the division; those of 64 bits may
    total = getattr(np, _FOLDS[name]).reduce(np.stack(arrays).astype(np.uint64), axis=0)
    if name == "mean":
        total //= len(parts)
    return torch.from_numpy(total.astype(arrays[0].dtype)).to(parts[0].device)


def _divide(total: Tensor, group: ProcessGroup | None) -> Tensor:
    size = get_world_size(group)
    if total.is_floating_point() or total.is_complex():
        return total.div_(size)
    return torch.div(total, size, rounding_mode="trunc")


def _split_by_kind(tensors: list[Tensor], limit: int | None) -> Iterator[list[Tensor]]:
    """Yield tensors of one dtype and device, in buckets of at most ``limit`` bytes."""
    kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    if len({tensor.dtype for tensor in tensors} | {tensor.device for tensor in tensors}) == 2:
        kinds[tensors[0].dtype, tensors[0].device] = tensors  # the common case, in half the time
    else:
        for tensor in tensors:
            kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for alike in kinds.values():
        if limit is None:
            yield alike
        else:
            yield from _split(alike, limit)


def _split(tensors: list[Tensor], limit: int) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    size = 0
    for tensor in tensors:
        if bucket and size + tensor.nbytes > limit:
            yield bucket
            bucket, size = [], 0
        bucket.append(tensor)
        size += tensor.nbytes
    yield bucket
