"""The processes that save a checkpoint together, in a group of their own."""

from __future__ import annotations

import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

from eng.dist import get_default_group, get_world_size

__all__ = ["saving_group"]

_made: tuple[ProcessGroup, ProcessGroup] | None = None


def saving_group() -> ProcessGroup | None:
    """Return the group for saves, which communicates by the CPU. Made in all processes at once.

    Saves in the background communicate while training does: in one group, the operations of both
    would meet.

    Returns:
        The group of all processes, None in a single one.
    """
    global _made  # noqa: PLW0603 - lives as long as the default group
    if get_world_size() == 1:
        return None
    default = get_default_group()
    assert default is not None
    if _made is None or _made[0] is not default:
        _made = default, torch_dist.new_group(backend="gloo")
    return _made[1]
