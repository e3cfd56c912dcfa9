"""Tell data loaders that are given by the name of their set from a single one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeGuard

from torch.utils.data import DataLoader

__all__ = ["LOADER_SETTINGS", "has_named_loaders"]

#: Settings of a data loader in a config beside torch's own arguments, or built from configs.
LOADER_SETTINGS = (
    "dataset",
    "sampler",
    "batch_sampler",
    "collate_fn",
    "worker_init_fn",
    "num_batch_per_epoch",
    "disable_subprocess_warning",
    "prefetch_to_device",
)
#: Settings of a data loader, none of which is the name of a set.
_OF_LOADER = frozenset(
    {*inspect.signature(DataLoader).parameters, *LOADER_SETTINGS, "type", "_scope_"}
)


def has_named_loaders(dataloader: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether data loaders are given by the name of their set.

    Args:
        dataloader: The ``val_dataloader`` or ``test_dataloader`` of a run.

    Returns:
        True for a dict without any setting of a data loader, all of whose values are data loaders
        or dicts.

    Examples:
        >>> has_named_loaders({"day": {"dataset": []}, "night": {"dataset": []}})
        True
        >>> has_named_loaders({"dataset": {"type": "Nights"}, "batch_size": 2})
        False
    """
    if not isinstance(dataloader, Mapping) or not dataloader or _OF_LOADER & set(dataloader):
        return False
    return all(
        isinstance(each, Mapping) or (hasattr(each, "__iter__") and not isinstance(each, str))
        for each in dataloader.values()
    )
