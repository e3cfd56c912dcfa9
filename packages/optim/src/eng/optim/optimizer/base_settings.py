"""Base settings of an optimizer with several groups, scheduled as one more group."""

from __future__ import annotations

import copy

import torch
from torch.optim import Optimizer

from ..types import ParamGroup

__all__ = ["restore_base_settings", "settings_beside_groups"]


def settings_beside_groups(optimizer: Optimizer) -> ParamGroup | None:
    """Make a group with the settings that all groups start from, without model parameters.

    Groups may scale their learning rate; this one has it unscaled, since schedulers change it as
    well.

    Args:
        optimizer: The optimizer.

    Returns:
        The group; None for an optimizer of one group, which has these settings itself.
    """
    groups = optimizer.param_groups
    if len(groups) < 2:
        return None
    settings = {"params": torch.tensor([0.0]), **copy.copy(optimizer.defaults)}
    for key in groups[0]:  # a scheduled setting must be in all groups
        if all(key in group for group in groups):
            name = key.removeprefix("initial_")
            settings.setdefault(key, settings.get(name, groups[0][key]))
    return settings


def restore_base_settings(
    settings: ParamGroup, saved: ParamGroup | None, group: ParamGroup
) -> ParamGroup:
    """Restore the base settings of a checkpoint.

    Args:
        settings: The current ones.
        saved: Those of the checkpoint; None for a checkpoint of an older version.
        group: The first group of the restored optimizer. Without saved settings, those that were
            scheduled are scaled like in this group.

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
