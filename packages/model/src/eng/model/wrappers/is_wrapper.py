"""Telling a model from what wraps it."""

from __future__ import annotations

from torch import nn

from eng.registry import MODEL_WRAPPERS, Registry

__all__ = ["is_model_wrapper"]


def is_model_wrapper(model: nn.Module, registry: Registry = MODEL_WRAPPERS) -> bool:
    """Whether a module is a wrapper around the model proper, which is its attribute ``module``.

    Args:
        model: The module.
        registry: Where wrappers are registered, with its children. Defaults to ``MODEL_WRAPPERS``.

    Returns:
        Whether it is an instance of a registered wrapper.
    """
    if isinstance(model, tuple(registry.module_dict.values())):
        return True
    return any(is_model_wrapper(model, child) for child in registry.children.values())
