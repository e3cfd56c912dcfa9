"""Model wrappers: recognise them, and find the model and its parameter names without them."""

from __future__ import annotations

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from eng.registry import MODEL_WRAPPERS, Registry

__all__ = ["is_model_wrapper", "plain_name", "unwrap"]

MODEL_WRAPPERS.register_module(module=DistributedDataParallel)
MODEL_WRAPPERS.register_module(module=DataParallel)

#: The submodule in which torch's own wrappers hold what they wrap: those of ``torch.compile``, of
#: FSDP and of activation checkpointing. Nothing else has one of these names, and asking for their
#: classes would import parts of torch that take longer than all the rest.
_TORCH_NAMES = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")


def is_model_wrapper(model: nn.Module, registry: Registry = MODEL_WRAPPERS) -> bool:
    """Whether a module is a registered wrapper around the model proper, its attribute ``module``.

    A compiled model is not one: it is used as the model itself is. :func:`unwrap` looks through
    both.

    Args:
        model: The module.
        registry: Where wrappers are registered, with its children. Defaults to ``MODEL_WRAPPERS``.

    Returns:
        Whether it is an instance of a registered wrapper.
    """
    if isinstance(model, tuple(registry.module_dict.values())):
        return True
    return any(is_model_wrapper(model, child) for child in registry.children.values())


def unwrap(model: nn.Module, keep: tuple[type, ...] = ()) -> nn.Module:
    """The model inside all of its wrappers.

    Registered wrappers (``MODEL_WRAPPERS``), ``torch.compile``, FSDP and activation checkpointing
    are looked through, in any order. A model that merely has a part called ``module`` is returned
    as it is.

    Args:
        model: The model, possibly wrapped.
        keep: Classes that are not looked through. Defaults to none.

    Returns:
        The model, or the outermost of its wrappers that is an instance of ``keep``.
    """
    while not isinstance(model, keep):
        if not isinstance(model, nn.Module):
            if not is_model_wrapper(model):
                break
            model = model.module  # a wrapper of somebody's own that is not a module itself
            continue
        inner = _find_inner_name(model)
        if inner is None:
            break
        model = model.get_submodule(inner)
    return model


def plain_name(model: nn.Module, name: str) -> str:
    """The name that a parameter, buffer or submodule would have without any wrapper.

    Args:
        model: The model that has it, possibly wrapped as a whole or in parts.
        name: Its name there, such as ``'module.backbone._orig_mod.conv.weight'``. Parts of it that
            torch has left out already may be missing.

    Returns:
        The name without the parts that stand for wrappers, ``'backbone.conv.weight'``.

    Examples:
        >>> model = nn.Sequential(nn.DataParallel(nn.Linear(1, 1)))
        >>> plain_name(model, "0.module.weight")
        '0.weight'
    """
    kept: list[str] = []
    module: nn.Module | None = model
    for part in name.split("."):
        inner = _find_inner_name(module)
        while module is not None and inner is not None and part not in module._modules:
            module = module._modules[inner]  # torch has left this wrapper out of the name
            inner = _find_inner_name(module)
        if part != inner:
            kept.append(part)
        module = None if module is None else module._modules.get(part)
    return ".".join(kept)


def _find_inner_name(module: nn.Module | None) -> str | None:
    """Name of the submodule that a wrapper wraps, None for anything else."""
    if module is None:
        return None
    for name in _TORCH_NAMES:
        if name in module._modules:
            return name
    if module._modules.get("module") is not None and is_model_wrapper(module):
        return "module"
    return None
