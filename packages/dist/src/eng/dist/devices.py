"""Where data is, where it must be to be sent, and how it gets there."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from .groups import get_backend

__all__ = ["cast_data_device", "get_comm_device", "get_data_device"]

_BACKEND_DEVICES = {"nccl": "cuda", "smddp": "cuda", "hccl": "npu", "cncl": "mlu", "xccl": "xpu"}


def get_comm_device(group: ProcessGroup | None = None) -> torch.device:
    """Return the device that tensors must be on to be sent within a group.

    Args:
        group: The group; the default group when None.

    Returns:
        The current accelerator where the backend sends from there (nccl, hccl, ...), the cpu for
        gloo, mpi and in a non-distributed environment.
    """
    backend = get_backend(group) or ""
    for name, kind in _BACKEND_DEVICES.items():
        # a group may have a backend for each device: "cpu:gloo,cuda:nccl"
        if name in backend:
            module = getattr(torch, kind, None)
            if module is not None and module.is_available():
                return torch.device(kind, module.current_device())
    return torch.device("cpu")


def get_data_device(data: Any) -> torch.device:
    """Return the device of a tensor, or of all the tensors in (nested) lists and dicts.

    Args:
        data: Tensor, or sequence or mapping of tensors, nested to any depth.

    Raises:
        ValueError: The tensors are on devices of different types, or there are none.
        TypeError: There is something else than tensors, sequences and mappings.
    """
    if isinstance(data, Tensor):
        return data.device
    items: list[Any]
    if isinstance(data, Mapping):
        items = list(data.values())
    elif _is_sequence(data):
        items = list(data)
    else:
        raise TypeError(f"data is a tensor, or a sequence or dict of them, not {_name(data)}")
    if not items:
        raise ValueError(f"an empty {_name(data)} is on no device")
    devices = [get_data_device(item) for item in items]
    kinds = sorted({device.type for device in devices})
    if len(kinds) > 1:
        raise ValueError(f"all tensors should be on one type of device, these are on {kinds}")
    return devices[0]


def cast_data_device(data: Any, device: torch.device | str, out: Any = None) -> Any:
    """Move the tensors in (nested) data to a device.

    Args:
        data: Tensor, or sequence or mapping of tensors, nested to any depth.
        device: Where to. Tensors that are there already are not copied.
        out: Like ``data``, with tensors of the same shapes; receives the values in place.

    Returns:
        Data of the same structure with its tensors on ``device``.

    Raises:
        TypeError: There is something else than tensors, sequences and mappings, or ``out`` is of
            another type than ``data``.
        ValueError: ``out`` has other keys, lengths or shapes than ``data``.
    """
    return _cast(data, torch.device(device), out, "data")


def _cast(data: Any, device: torch.device, out: Any, where: str) -> Any:
    if isinstance(data, Tensor):
        return _cast_tensor(data, device, out, where)
    if isinstance(data, Mapping):
        if out is not None and (not isinstance(out, Mapping) or out.keys() != data.keys()):
            raise _mismatch(out, data, where, f"a mapping with keys {list(data)}")
        cast = {
            key: _cast(value, device, None if out is None else out[key], f"{where}[{key!r}]")
            for key, value in data.items()
        }
        return cast if type(data) is dict else type(data)(cast)  # type: ignore[call-arg]
    if _is_sequence(data):
        if out is not None and (not _is_sequence(out) or len(out) != len(data)):
            raise _mismatch(out, data, where, f"a sequence of {len(data)} items")
        outs = [None] * len(data) if out is None else out
        items = [
            _cast(x, device, o, f"{where}[{i}]")
            for i, (x, o) in enumerate(zip(data, outs, strict=True))
        ]
        return type(data)(*items) if hasattr(data, "_fields") else type(data)(items)
    raise TypeError(f"{where} is a tensor, or a sequence or dict of them, not {_name(data)}")


def _cast_tensor(data: Tensor, device: torch.device, out: Any, where: str) -> Tensor:
    moved = data.to(device)
    if out is not None:
        if not isinstance(out, Tensor) or out.shape != data.shape:
            raise _mismatch(out, data, where, f"a tensor of shape {tuple(data.shape)}")
        with torch.no_grad():
            out.copy_(moved)
    return moved


def _is_sequence(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))


def _mismatch(out: Any, data: Any, where: str, wanted: str) -> Exception:
    have = f"shape {tuple(out.shape)}" if isinstance(out, Tensor) else _name(out)
    kind = ValueError if isinstance(out, type(data)) or isinstance(data, type(out)) else TypeError
    return kind(f"out must match {where}: {wanted}, not {have}")


def _name(data: Any) -> str:
    return type(data).__name__
