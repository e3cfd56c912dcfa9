"""Settings of an optimizer next to those of its groups, scheduled as one more group."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer

__all__ = ["restored_base_settings", "settings_beside_groups"]


def settings_beside_groups(optimizer: Optimizer) -> dict[str, Any] | None:
    """Make a group without parameters of the model, with the settings that groups start from.

    Groups may scale their learning rate. What it was before is seen in this one, since schedulers
    move it as well.

    Args:
        optimizer: The optimizer.

    Returns:
        The group; None for an optimizer of one group, which has these settings itself.
    """
    groups = optimizer.param_groups
    if len(groups) < 2:
        return None
    settings = {"params": torch.tensor([0.0]), **copy.copy(optimizer.defaults)}
    for key in groups[0]:  # what is scheduled must be in all groups
        if all(key in group for group in groups):
            name = key.removeprefix("initial_")
            settings.setdefault(key, settings.get(name, groups[0][key]))
    return settings


def restored_base_settings(
    settings: Mapping[str, Any], saved: Mapping[str, Any] | None, group: Mapping[str, Any]
) -> dict[str, Any]:
    """Continue from the base settings of a checkpoint.

    Args:
        settings: The present ones.
        saved: Those of the checkpoint; None if it has none, as older ones have.
        group: The first group of the optimizer as it was restored. Without saved settings, what
            was scheduled in it says how far the base settings have come.

    Returns:
        The settings.
    """
    if saved is not None:
        return {**settings, **saved}
    restored = dict(settings)
    for key, initial in group.items():
        name = str(key).removeprefix("initial_")
        if name == key or name not in settings or not initial:
            continue
        base = restored.setdefault(key, settings[name])
        restored[name] = base * (group[name] / initial)
    return restored
