"""Find the data loader of the test in the config of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    if isinstance(loader, Mapping) and "dataset" not in loader:
        sets = [each for each in loader.values() if isinstance(each, Mapping)]
        if len(sets) == len(loader) and "dataset" in sets[0]:
            return sets[0]
    return loader
