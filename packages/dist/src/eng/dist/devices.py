"""Devices of data and of communication, and moving data between them."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any, TypeGuard, TypeVar

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from .groups import get_backend

__all__ = ["cast_data_device", "get_comm_device", "get_data_device"]

T = TypeVar("T")

_ACCEPTED = "a tensor or a sequence or dict of tensors"
_BACKEND_DEVICES = {"nccl": "cuda", "smddp": "cuda", "hccl": "npu", "cncl": "mlu", "xccl": "xpu"}


def get_comm_device(group: ProcessGroup | None = None) -> torch.device:
    """Return the device from which a group sends tensors.

    Args:
        group: The group; the default group when None.

    Returns:
        The current accelerator for backends such as nccl and hccl; the CPU for gloo, mpi and in a
        non-distributed environment.
    """
    backend = get_backend(group) or ""
    for name, kind in _BACKEND_DEVICES.items():
        # a group may have a backend for each device: "cpu:gloo,cuda:nccl"
        if name in backend:
            module = getattr(torch, kind, None)
            if module is not None and module.is_available():
                return torch.device(kind, module.current_device())
    return torch.device("cpu")


def get_data_device(data: object) -> torch.device:
    """Return the device of a tensor, or of all the tensors in (nested) lists and dicts.

    Args:
        data: Tensor, or sequence or mapping of tensors, nested to any depth.

    Raises:
        ValueError: If the tensors are on devices of different types, or ``data`` is empty.
        TypeError: If there is anything but tensors, sequences and mappings.
    """
    if isinstance(data, Tensor):
        return data.device
    items: list[object]
    if isinstance(data, Mapping):
        items = list(data.values())
    elif _is_sequence(data):
        items = list(data)
    else:
        raise TypeError(f"data must be {_ACCEPTED}, not {_get_type_name(data)}")
    if not items:
        raise ValueError(f"an empty {_get_type_name(data)} has no device")
    devices = [get_data_device(item) for item in items]
    kinds = sorted({device.type for device in devices})
    if len(kinds) > 1:
        raise ValueError(f"device mismatch: all tensors must be on one type of device, not {kinds}")
    return devices[0]


def cast_data_device(data: T, device: torch.device | str, out: T | None = None) -> T:
    """Move the tensors in (nested) data to a device.

    Args:
        data: Tensor, or sequence or mapping of tensors, nested to any depth.
        device: The target. Tensors that are already on it are not copied.
        out: Like ``data``, with tensors of the same shapes; receives the values in place.

    Returns:
        Data of the same structure with its tensors on ``device``.

    Raises:
        TypeError: If there is anything but tensors, sequences and mappings, or the type of ``out``
            differs from that of ``data``.
        ValueError: If the keys, lengths or shapes of ``out`` differ from those of ``data``.
    """
    moved: T = _cast(data, torch.device(device), out, "data")
    return moved


def _cast(data: Any, device: torch.device, out: Any, where: str) -> Any:
    if isinstance(data, Tensor):
        return _cast_tensor(data, device, out, where)
    if isinstance(data, Mapping):
        if out is not None and (not isinstance(out, Mapping) or out.keys() != data.keys()):
            raise _make_mismatch(out, data, where, f"a mapping with keys {list(data)}")
        cast = {
            key: _cast(value, device, None if out is None else out[key], f"{where}[{key!r}]")
            for key, value in data.items()
        }
        if type(data) is dict:
            return cast
        if isinstance(data, MutableMapping):  # a defaultdict does not take its items
            filled = copy(data)
            filled.update(cast)
            return filled
        return type(data)(cast)  # type: ignore[call-arg]
    if _is_sequence(data):
        if out is not None and (not _is_sequence(out) or len(out) != len(data)):
            raise _make_mismatch(out, data, where, f"a sequence of {len(data)} items")
        outs = [None] * len(data) if out is None else out
        items = [
            _cast(x, device, o, f"{where}[{i}]")
            for i, (x, o) in enumerate(zip(data, outs, strict=True))
        ]
        kind: Callable[..., Any] = type(data)
        return kind(*items) if hasattr(data, "_fields") else kind(items)
    raise TypeError(f"{where} must be {_ACCEPTED}, not {_get_type_name(data)}")


def _cast_tensor(data: Tensor, device: torch.device, out: object, where: str) -> Tensor:
    moved = data.to(device)
    if out is not None:
        if not isinstance(out, Tensor) or out.shape != data.shape:
            raise _make_mismatch(out, data, where, f"a tensor of shape {tuple(data.shape)}")
        with torch.no_grad():
            out.copy_(moved)
    return moved


def _is_sequence(data: object) -> TypeGuard[Sequence[object]]:
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes))


def _make_mismatch(out: object, data: object, where: str, wanted: str) -> Exception:
    have = f"shape {tuple(out.shape)}" if isinstance(out, Tensor) else _get_type_name(out)
    kind = ValueError if isinstance(out, type(data)) or isinstance(data, type(out)) else TypeError
    return kind(f"out does not match {where}: expected {wanted}, not {have}")


def _get_type_name(data: object) -> str:
    return type(data).__name__
