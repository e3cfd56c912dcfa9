"""Copy a model with its parameters, each process its shards of them."""

from __future__ import annotations

import sys
from copy import deepcopy
from typing import NoReturn

from torch import Tensor, nn

from eng.utils import override

__all__ = ["copy_model", "has_shards", "local_of"]


def copy_model(model: nn.Module) -> nn.Module:
    """Copy a model.

    Args:
        model: The model.

    Returns:
        The copy. That of a sharded model has the same parts, parameters and buffers by name, with
        the placements of the model, but no forward pass.
    """
    return _copy_parts(model, {}, {}) if has_shards(model) else deepcopy(model)


def has_shards(model: nn.Module) -> bool:
    """Whether a parameter of a model is split over processes."""
    kind = getattr(sys.modules.get("torch.distributed.tensor"), "DTensor", None)
    return kind is not None and any(isinstance(each, kind) for each in model.parameters())


def local_of(tensor: Tensor) -> Tensor:
    """Return the shard of this process, sharing its memory; other tensors unchanged."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local


class _Part(nn.Module):
    """The parameters and buffers of a part of a sharded model."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    @override
    def forward(self, *args: object, **kwargs: object) -> NoReturn:
        raise RuntimeError(
            f"the copy of a sharded {self._kind} has shards of its parameters alone and cannot be "
            "called: copy them into the model, as EMAHook does for validation"
        )

    @override
    def _get_name(self) -> str:
        return f"Shards of {self._kind}"


def _copy_parts(
    module: nn.Module, parts: dict[nn.Module, nn.Module], tensors: dict[int, Tensor]
) -> nn.Module:
    """Copy a module and those inside, shared modules and tensors once."""
    if module in parts:
        return parts[module]
    part = parts[module] = _Part(type(module).__name__)
    for name, parameter in module._parameters.items():
        copied = None if parameter is None else _copy_tensor(parameter, tensors)
        part.register_parameter(name, copied)  # type: ignore[arg-type]
    for name, buffer in module._buffers.items():
        copied = None if buffer is None else _copy_tensor(buffer, tensors)
        persistent = name not in module._non_persistent_buffers_set
        part.register_buffer(name, copied, persistent)
    for name, child in module._modules.items():
        part.add_module(name, None if child is None else _copy_parts(child, parts, tensors))
    return part.train(module.training)


def _copy_tensor(tensor: Tensor, tensors: dict[int, Tensor]) -> Tensor:
    if id(tensor) not in tensors:
        copied = tensor.detach().clone()
        is_parameter = isinstance(tensor, nn.Parameter)
        tensors[id(tensor)] = nn.Parameter(copied, requires_grad=False) if is_parameter else copied
    return tensors[id(tensor)]
