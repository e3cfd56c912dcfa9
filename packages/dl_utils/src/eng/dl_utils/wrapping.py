"""Unwrap models, and find parameter names without wrappers."""

from __future__ import annotations

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from eng.registry import MODEL_WRAPPERS, Registry

__all__ = ["is_model_wrapper", "plain_name", "unwrap"]

MODEL_WRAPPERS.register_module(module=DistributedDataParallel)
MODEL_WRAPPERS.register_module(module=DataParallel)

#: Names of the wrapped submodule in wrappers of torch: ``torch.compile``, FSDP and activation
#: checkpointing. The names are unique to them; importing their classes would take longer than the
#: rest of torch.
_TORCH_NAMES = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")


def is_model_wrapper(model: nn.Module, registry: Registry = MODEL_WRAPPERS) -> bool:
    """Whether a module is a registered wrapper, with the model in its attribute ``module``.

    A compiled model is not a wrapper, since it is used like the model. :func:`unwrap` unwraps both.

    Args:
        model: The module.
        registry: Registry of wrappers, with its children. Defaults to ``MODEL_WRAPPERS``.
    """
    if isinstance(model, tuple(registry.module_dict.values())):
        return True
    return any(is_model_wrapper(model, child) for child in registry.children.values())


def unwrap(model: nn.Module, keep: tuple[type, ...] = ()) -> nn.Module:
    """Return the model without its wrappers.

    Wrappers are those registered in ``MODEL_WRAPPERS``, ``torch.compile``, FSDP and activation
    checkpointing, nested in any order. Another model with a submodule named ``module`` is returned
    unchanged.

    Args:
        model: The model, possibly wrapped.
        keep: Classes of wrappers to keep. Defaults to none.

    Returns:
        The model, or the outermost of its wrappers that is an instance of ``keep``.
    """
    while not isinstance(model, keep):
        if not isinstance(model, nn.Module):
            if not is_model_wrapper(model):
                break
            model = model.module  # a custom wrapper that is not an nn.Module
            continue
        inner = _find_inner_name(model)
        if inner is None:
            break
        model = model.get_submodule(inner)
    return model


def plain_name(model: nn.Module, name: str) -> str:
    """Return the name of a parameter, buffer or submodule without wrappers.

    Args:
        model: The model, of which any module may be wrapped.
        name: The name in the model, such as ``'module.backbone._orig_mod.conv.weight'``. Names of
            wrappers that torch already omits may be missing.

    Returns:
        The name without the names of wrappers, such as ``'backbone.conv.weight'``.

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
            module = module._modules[inner]  # torch omits this wrapper from the name
            inner = _find_inner_name(module)
        if part != inner:
            kept.append(part)
        module = None if module is None else module._modules.get(part)
    return ".".join(kept)


def _find_inner_name(module: nn.Module | None) -> str | None:
    """Return the name of the wrapped submodule, None if the module is not a wrapper."""
    if module is None:
        return None
    for name in _TORCH_NAMES:
        if name in module._modules:
            return name
    if module._modules.get("module") is not None and is_model_wrapper(module):
        return "module"
    return None
