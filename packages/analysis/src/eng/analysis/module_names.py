"""Canonical names and ancestors of the modules of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

__all__ = ["ancestors", "canonical_names", "has_forward", "module_aliases", "unwrap"]


def canonical_names(model: nn.Module) -> dict[nn.Module, str]:
    """Name each module of a model; a module with several names has the first one."""
    return {module: name for name, module in model.named_modules()}


def module_aliases(model: nn.Module) -> dict[str, str]:
    """Map all names of modules to the canonical ones."""
    names = canonical_names(model)
    return {name: names[m] for name, m in model.named_modules(remove_duplicate=False)}


def ancestors(name: str) -> Iterator[str]:
    """Yield a name, the names of its ancestors, and last ``''``, the name of the model.

    Examples:
        >>> list(ancestors("backbone.stem"))
        ['backbone.stem', 'backbone', '']
    """
    while name:
        yield name
        name = name.rpartition(".")[0]
    yield ""


def has_forward(module: nn.Module) -> bool:
    """Whether a module has a forward, unlike lists and dicts of modules."""
    return type(module).forward is not nn.Module.forward


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside of data parallel wrappers and ``torch.compile``."""
    while True:
        if isinstance(model, (DataParallel, DistributedDataParallel)):
            model = model.module
        elif "_orig_mod" in model._modules:  # torch.compile(model)
            model = cast("nn.Module", model._orig_mod)
        else:
            return model
