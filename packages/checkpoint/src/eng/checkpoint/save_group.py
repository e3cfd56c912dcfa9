"""The processes that save a checkpoint together, in a group of their own."""

from __future__ import annotations

import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

from eng.dist import get_default_group, get_world_size

__all__ = ["SavingGroup"]


class SavingGroup:
    """A group of all processes for the saves of one writer, which communicates by the CPU.

    Saves in the background communicate while training does, and while those of another writer do:
    in one group, the operations of both would meet.
    """

    def __init__(self) -> None:
        self._made: tuple[ProcessGroup, ProcessGroup] | None = None

    def get(self) -> ProcessGroup | None:
        """Return the group, None in a single process.

        It is made by the first call, which is to be in all processes, and not in a thread.
        """
        if get_world_size() == 1:
            return None
        default = get_default_group()
        assert default is not None
        if self._made is None or self._made[0] is not default:
            self._made = default, torch_dist.new_group(backend="gloo")
        return self._made[1]
