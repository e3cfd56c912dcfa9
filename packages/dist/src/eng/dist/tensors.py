"""Exchange tensors between processes: gather, all_gather, broadcast.

Tensors travel as bytes, so that every dtype works on every backend.
"""

import torch
import torch.distributed as torch_dist
from torch import Tensor
from torch.distributed import ProcessGroup

from .devices import get_comm_device
from .failure import wait
from .groups import get_rank, get_world_size, is_distributed, ranks_of

__all__ = ["all_gather", "broadcast", "check_member", "gather", "to_bytes"]

_MAX_DIMENSIONS = 64
_DTYPES = sorted((d for d in vars(torch).values() if isinstance(d, torch.dtype)), key=str)


def all_gather(data: Tensor, group: ProcessGroup | None = None) -> list[Tensor]:
    """Gather tensors of one shape and dtype from every process of a group, in every process.

    Args:
        data: Tensor of any dtype and device.
        group: The group; the default group when None.

    Returns:
        One tensor for each rank, on the device of ``data``; ``[data]`` in one process.

    Raises:
        ValueError: If shapes or dtypes differ; the message lists them by rank.
    """
    if get_world_size(group) == 1:
        return [data]
    _check_same_layout(data, group, "all_gather")
    return _all_gather_same(data, group)


def gather(data: Tensor, dst: int = 0, group: ProcessGroup | None = None) -> list[Tensor]:
    """Gather tensors of one shape and dtype from every process of a group, in one process.

    Args:
        data: Tensor of any dtype and device.
        dst: The global rank that receives.
        group: The group; the default group when None.

    Returns:
        One tensor for each rank in process ``dst``, an empty list in the others; ``[data]`` in a
        non-distributed environment.

    Raises:
        ValueError: If ``dst`` is not in the group, or shapes or dtypes differ.
    """
    if not is_distributed():
        return [data]
    check_member(dst, group, "dst")
    if get_world_size(group) == 1:
        return [data]
    _check_same_layout(data, group, "gather")
    payload = to_bytes(data, get_comm_device(group))
    receiving = torch_dist.get_rank() == dst
    received = [torch.empty_like(payload) for _ in range(get_world_size(group))]
    if payload.numel():
        work = torch_dist.gather(
            payload, received if receiving else None, dst=dst, group=group, async_op=True
        )
        wait(work, "gather", group)
    return [_from_bytes(part, data) for part in received] if receiving else []


def broadcast(data: Tensor, src: int = 0, group: ProcessGroup | None = None) -> None:
    """Copy a tensor from one process to every process of a group, in place.

    Args:
        data: Tensor to send in process ``src``, to receive into in the others. It must have the
            same number of elements and dtype in all of them.
        src: The global rank that sends.
        group: The group; the default group when None.

    Raises:
        ValueError: If ``src`` is not in the group.
    """
    if not is_distributed():
        return
    check_member(src, group, "src")
    if get_world_size(group) == 1 or not data.numel():
        return
    payload = to_bytes(data, get_comm_device(group))
    wait(torch_dist.broadcast(payload, src=src, group=group, async_op=True), "broadcast", group)
    if torch_dist.get_rank() != src:
        with torch.no_grad():
            data.copy_(_from_bytes(payload, data))


def to_bytes(data: Tensor, device: torch.device) -> Tensor:
    """Return the elements of a strided tensor as a flat uint8 tensor on a device."""
    if data.layout is not torch.strided:
        raise TypeError(
            f"unsupported layout {data.layout}: only dense tensors can be sent (to_dense())"
        )
    dense = data.detach().resolve_conj().resolve_neg().to(device).contiguous()
    return dense.reshape(-1).view(torch.uint8)


def check_member(rank: int, group: ProcessGroup | None, name: str) -> None:
    """Raise ValueError if a global rank is not in the group."""
    members = ranks_of(group)
    if rank not in members:
        raise ValueError(f"invalid {name}={rank}: the global ranks of the group are {members}")


def _all_gather_same(data: Tensor, group: ProcessGroup | None) -> list[Tensor]:
    payload = to_bytes(data, get_comm_device(group))
    received = [torch.empty_like(payload) for _ in range(get_world_size(group))]
    if payload.numel():
        wait(
            torch_dist.all_gather(received, payload, group=group, async_op=True),
            "all_gather",
            group,
        )
    return [_from_bytes(part, data) for part in received]


def _from_bytes(payload: Tensor, like: Tensor) -> Tensor:
    return payload.view(like.dtype).reshape(like.shape).to(like.device)


def _check_same_layout(data: Tensor, group: ProcessGroup | None, operation: str) -> None:
    """Compare dtype and shape before the transfer: a mismatch would hang or mix up elements."""
    shape = [*data.shape, *[-1] * (_MAX_DIMENSIONS - data.dim())]
    layout = torch.tensor([_DTYPES.index(data.dtype), *shape], dtype=torch.int64)
    layouts = [part.tolist() for part in _all_gather_same(layout, group)]
    if any(other != layouts[0] for other in layouts):
        by_rank = "; ".join(
            f"rank {rank}: {str(_DTYPES[code]).removeprefix('torch.')}"
            f"{[size for size in sizes if size >= 0]}"
            for rank, (code, *sizes) in enumerate(layouts)
        )
        raise ValueError(
            f"shape or dtype mismatch in {operation}: {by_rank} (this is rank {get_rank(group)})"
        )
