"""Find the data loader of the test in the config of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eng.dataset import has_named_loaders

from .types import ConfigType

__all__ = ["find_loader"]


def find_loader(cfg: ConfigType, *keys: str) -> Any:
    """Find a data loader of a config.

    Args:
        cfg: The config.
        *keys: Names of settings, such as ``'test_dataloader'``: the first that is given is used.

    Returns:
        The config of the data loader, or whatever is given instead; of several by the name of their
        set the first. None without one.
    """
    loader = next((cfg[key] for key in keys if cfg.get(key)), None)
    first = next(iter(loader.values())) if has_named_loaders(loader) else None
    return first if isinstance(first, Mapping) else loader
