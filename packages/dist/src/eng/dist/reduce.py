"""Reducing tensors over processes."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

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

_OPS: dict[str, Any] = {
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
# bytes of each dtype that a thread keeps for joining tensors on the CPU
_KEPT_MEMORY = 32 * 1024 * 1024
_kept = threading.local()


def all_reduce(data: Tensor, op: str | Any = "sum", group: ProcessGroup | None = None) -> None:
    """Reduce a tensor over all processes of a group, in place and to the same bits everywhere.

    Args:
        data: Tensor of any dtype and device, of the same shape in every process.
        op: ``sum``, ``mean``, ``product`` (or ``produce``), ``min``, ``max``, ``band``, ``bor``,
            ``bxor``, or the ``ReduceOp`` of that name. The mean of integers is rounded toward
            zero; the sum of booleans is their "or".
        group: The group; the default group when None.

    Raises:
        ValueError: The operation is unknown.
        TypeError: A bitwise operation on floating-point numbers, the least or largest of complex
            numbers, or a mean of booleans.
    """
    name = _op_name(op)
    _check_dtype(data.dtype, name)
    if get_world_size(group) == 1 or not data.numel():
        return
    with torch.no_grad():
        values = data.detach()
        reduced = _reduce(values, name, group)
        if reduced is not values:  # then it was not reduced in place
            data.copy_(reduced)


def all_reduce_dict(
    data: dict[str, Tensor], op: str | Any = "sum", group: ProcessGroup | None = None
) -> None:
    """Reduce every tensor of a dict over all processes of a group.

    The tensors travel together, one message for each dtype. The dict gets new tensors, so values
    that are part of an autograd graph keep what they were.

    Args:
        data: Tensors by name; the same names, shapes and dtypes in every process, in any order.
        op: See :func:`all_reduce`.
        group: The group; the default group when None.

    Raises:
        TypeError: ``data`` is no dict.
        ValueError: The operation is unknown.
    """
    if not isinstance(data, dict):
        raise ArgumentTypeError(f"data is a dict of tensors, not {type(data).__name__}")
    _op_name(op)
    if get_world_size(group) == 1:
        return
    # processes may have filled their dicts in different orders
    names = sorted(data)
    copies = [data[name].detach().clone() for name in names]
    all_reduce_params(copies, op=op, group=group)
    data.update(zip(names, copies, strict=True))


def all_reduce_params(
    params: Iterable[Tensor],
    coalesce: bool = True,
    bucket_size_mb: int = -1,
    op: str | Any = "sum",
    group: ProcessGroup | None = None,
) -> None:
    """Reduce parameters or buffers over all processes of a group, in place.

    Tensors on the CPU are joined in memory that the calling thread keeps for its next call with
    the same sizes: up to 32 MiB for each dtype.

    Args:
        params: The tensors, in the same order in every process.
        coalesce: Send tensors of one dtype and device as one flat tensor.
        bucket_size_mb: With ``coalesce``, the most megabytes to send at a time; no limit when
            negative or 0. A larger tensor goes alone.
        op: See :func:`all_reduce`.
        group: The group; the default group when None.

    Raises:
        ValueError: The operation is unknown.
    """
    name = _op_name(op)
    if get_world_size(group) == 1:
        return
    tensors = list(params)
    if not coalesce:
        for tensor in tensors:
            all_reduce(tensor, name, group)
        return
    limit = bucket_size_mb * 1024 * 1024 if bucket_size_mb > 0 else None
    with torch.no_grad():
        for bucket in _buckets(tensors, limit):
            _reduce_joined(bucket, name, group)


def _reduce_joined(tensors: list[Tensor], name: str, group: ProcessGroup | None) -> None:
    """Reduce tensors of one dtype and device in place, as one message."""
    _check_dtype(tensors[0].dtype, name)
    # for a tensor of one dimension, `flatten` would cost more than what it does
    parts = [tensor if tensor.dim() == 1 else tensor.flatten() for tensor in tensors]
    sizes = [part.numel() for part in parts]
    if not any(sizes):
        return
    with _joint(sizes, tensors[0]) as joint:
        torch.cat(parts, out=joint.flat)
        reduced = _reduce(joint.flat, name, group)
        views = joint.views if reduced is joint.flat else reduced.split_with_sizes(sizes)
        # as torch's optimizers do it: a copy for each costs twice the time
        torch._foreach_copy_(parts, views)
    for tensor, part in zip(tensors, parts, strict=True):
        if part is not tensor and not tensor.is_contiguous():  # the part may be a copy, no view
            tensor.copy_(part.view(tensor.shape))


class _Joint(NamedTuple):
    """Tensors as one: a flat one, and views of it with the sizes of those that it joins."""

    flat: Tensor
    sizes: list[int]
    views: tuple[Tensor, ...]


@contextmanager
def _joint(sizes: list[int], like: Tensor) -> Iterator[_Joint]:
    """A flat tensor to join others in; on the CPU it is kept for a next call with these sizes.

    Memory that is fresh from the operating system costs more than the copies: without this,
    reducing 200 tensors of 1,000 numbers takes twice the time of reducing a flat one. Allocators
    of accelerators keep their memory by themselves.
    """
    key = str(like.dtype)
    joint = _kept.__dict__.pop(key, None) if like.device.type == "cpu" else None
    if joint is None or joint.sizes != sizes:
        with torch.inference_mode(False):  # or a later call outside of that mode could not use it
            flat = torch.empty(sum(sizes), dtype=like.dtype, device=like.device)
            joint = _Joint(flat, sizes, flat.split_with_sizes(sizes))
    yield joint
    # not after an error: what is left of a broken collective may still write to it
    if like.device.type == "cpu" and joint.flat.nbytes <= _KEPT_MEMORY:
        setattr(_kept, key, joint)


def _op_name(op: str | Any) -> str:
    if isinstance(op, str):
        if op.lower() in _OPS:
            return op.lower()
    else:
        if op == ReduceOp.AVG:
            return "mean"
        for name, known in _OPS.items():
            if op == known:
                return name
    raise ValueError(f"unknown reduce operation {op!r}, known are: {', '.join(_OPS)}")


def _check_dtype(dtype: torch.dtype, name: str) -> None:
    if name in _BITWISE and (dtype.is_floating_point or dtype.is_complex):
        raise TypeError(f"{name} reduces integers and booleans, not {dtype}")
    if name in ("min", "max") and dtype.is_complex:
        raise TypeError(f"complex numbers have no order, so that {name} cannot reduce {dtype}")
    if name == "mean" and dtype is torch.bool:
        raise TypeError("booleans have no mean; convert them to a number type first")


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
    # sums of 16 and 32 bits do not overflow before they are divided; those of 64 bits wrap around
    total = getattr(np, _FOLDS[name]).reduce(np.stack(arrays).astype(np.uint64), axis=0)
    if name == "mean":
        total //= len(parts)
    return torch.from_numpy(total.astype(arrays[0].dtype)).to(parts[0].device)


def _divide(total: Tensor, group: ProcessGroup | None) -> Tensor:
    size = get_world_size(group)
    if total.is_floating_point() or total.is_complex():
        return total.div_(size)
    return torch.div(total, size, rounding_mode="trunc")


def _buckets(tensors: list[Tensor], limit: int | None) -> Iterator[list[Tensor]]:
    """Tensors of one dtype and device, together no larger than ``limit`` bytes."""
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
