"""Exchange picklable objects between processes.

If an object cannot be pickled, all ranks raise the same error: with an error on one rank alone, the
others would hang.
"""

import pickle
from typing import Any, TypeVar

import torch
import torch.distributed as torch_dist
from torch import Tensor
from torch.distributed import ProcessGroup

from eng.utils import ArgumentTypeError, ArgumentValueError

from .devices import get_comm_device
from .failure import wait
from .groups import get_world_size, is_distributed
from .tensors import check_member

__all__ = ["all_gather_object", "broadcast_object_list", "describe_unpicklable", "gather_object"]

T = TypeVar("T")


def all_gather_object(data: T, group: ProcessGroup | None = None) -> list[T]:
    """Gather one picklable object from every process of a group, in every process.

    Args:
        data: The object of this process.
        group: The group; the default group when None.

    Returns:
        One object for each rank; ``[data]`` in one process.

    Raises:
        TypeError: If an object cannot be pickled; raised in every process, names the rank.
    """
    if get_world_size(group) == 1:
        return [data]
    payload, sizes = _exchange_sizes(data, group)
    payload = _pad(payload, max(sizes), group)
    received = [torch.empty_like(payload) for _ in sizes]
    work = torch_dist.all_gather(received, payload, group=group, async_op=True)
    wait(work, "all_gather_object", group)
    return [_decode(part, size) for part, size in zip(received, sizes, strict=True)]


def gather_object(data: T, dst: int = 0, group: ProcessGroup | None = None) -> list[T] | None:
    """Gather one picklable object from every process of a group, in one process.

    Args:
        data: The object of this process.
        dst: The global rank that receives.
        group: The group; the default group when None.

    Returns:
        One object for each rank in process ``dst``, None in the others; ``[data]`` in a
        non-distributed environment.

    Raises:
        ValueError: If ``dst`` is not in the group.
        TypeError: If an object cannot be pickled; raised in every process, names the rank.
    """
    if not is_distributed():
        return [data]
    check_member(dst, group, "dst")
    if get_world_size(group) == 1:
        return [data]
    payload, sizes = _exchange_sizes(data, group)
    payload = _pad(payload, max(sizes), group)
    receiving = torch_dist.get_rank() == dst
    received = [torch.empty_like(payload) for _ in sizes] if receiving else None
    work = torch_dist.gather(payload, received, dst=dst, group=group, async_op=True)
    wait(work, "gather_object", group)
    if received is None:
        return None
    return [_decode(part, size) for part, size in zip(received, sizes, strict=True)]


def broadcast_object_list(data: list[Any], src: int = 0, group: ProcessGroup | None = None) -> None:
    """Copy a list of picklable objects from one process to every process of a group, in place.

    Args:
        data: Objects to send in process ``src``; a list of the same length in the others, whose
            items are replaced.
        src: The global rank that sends.
        group: The group; the default group when None.

    Raises:
        TypeError: If ``data`` is not a list, or an object cannot be pickled (raised in every
            process).
        ValueError: If ``src`` is not in the group, or the lists differ in length.
    """
    if not isinstance(data, list):
        raise ArgumentTypeError(f"data must be a list of objects, not {type(data).__name__}")
    if not is_distributed():
        return
    check_member(src, group, "src")
    if get_world_size(group) == 1:
        return
    sending = torch_dist.get_rank() == src
    payload, failed = _encode(data) if sending else (b"", False)
    header = torch.tensor([len(payload), failed, len(data)], device=get_comm_device(group))
    wait(torch_dist.broadcast(header, src, group, async_op=True), "broadcast_object_list", group)
    size, failure, length = header.tolist()
    body = _pad(_to_tensor(payload), size, group)
    wait(torch_dist.broadcast(body, src, group, async_op=True), "broadcast_object_list", group)
    if failure:
        raise TypeError(f"rank {src}: {_decode(body, size)}")
    if length != len(data):
        raise ArgumentValueError(
            f"length mismatch: rank {src} sends {length} objects, rank {torch_dist.get_rank()} "
            f"has a list of {len(data)}"
        )
    if not sending:
        data[:] = _decode(body, size)


def _exchange_sizes(data: object, group: ProcessGroup | None) -> tuple[Tensor, list[int]]:
    encoded, failed = _encode(data)
    device = get_comm_device(group)
    header = torch.tensor([len(encoded), failed], dtype=torch.int64, device=device)
    headers = [torch.empty_like(header) for _ in range(get_world_size(group))]
    wait(torch_dist.all_gather(headers, header, group=group, async_op=True), "sizes", group)
    payload = _to_tensor(encoded)
    sizes, failures = zip(*(part.tolist() for part in headers), strict=True)
    if any(failures):
        payload = _pad(payload, max(sizes), group)
        received = [torch.empty_like(payload) for _ in headers]
        wait(torch_dist.all_gather(received, payload, group=group, async_op=True), "errors", group)
        raise TypeError(
            "; ".join(
                f"rank {rank}: {_decode(part, size)}"
                for rank, (part, size, bad) in enumerate(
                    zip(received, sizes, failures, strict=True)
                )
                if bad
            )
        )
    return payload, list(sizes)


def _encode(data: object) -> tuple[bytes, bool]:
    """Pickle an object, or else the reason why it cannot be pickled."""
    try:
        return pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL), False
    except Exception as error:  # an object's own __reduce__ may raise anything
        return pickle.dumps(f"{describe_unpicklable(data)} cannot be pickled: {error}"), True


def describe_unpicklable(data: object) -> str:
    """Name the item of a list that cannot be pickled, or else the type of the object."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            try:
                pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
            except Exception:
                return f"item {index} ({type(item).__name__})"
    return f"an object of type {type(data).__name__}"


def _to_tensor(payload: bytes) -> Tensor:
    return (
        torch.frombuffer(bytearray(payload), dtype=torch.uint8)
        if payload
        else torch.empty(0, dtype=torch.uint8)
    )


def _pad(payload: Tensor, size: int, group: ProcessGroup | None) -> Tensor:
    padded = torch.empty(size, dtype=torch.uint8, device=get_comm_device(group))
    padded[: payload.numel()] = payload.to(padded.device)
    return padded


def _decode(payload: Tensor, size: int) -> Any:
    return pickle.loads(payload[:size].cpu().numpy().data)
