"""Let all processes of a run end at the same point."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as torch_dist

from eng.dist import all_reduce, get_comm_device, get_world_size

__all__ = ["Agreement", "Rounds"]

#: Signals take precedence over the time limit, -1, and any cause over none.
_NONE = -2
#: Seconds between two agreements while validating.
_SPACING = 1.0


class Agreement:
    """Exchanges causes to end, over a group of its own that needs no accelerator."""

    def __init__(self) -> None:
        self._group: Any = None

    @property
    def is_alone(self) -> bool:
        """Whether there is only this process."""
        return get_world_size() == 1

    def join(self) -> None:
        """Make the group, unless it exists for the present processes. Called in all processes."""
        if self.is_alone:
            return
        known = torch_dist.distributed_c10d._world.pg_map
        if self._group is None or self._group not in known:
            self._group = torch_dist.new_group(backend="gloo", timeout=_read_timeout())

    def latest(self, cause: int) -> int:
        """The cause of any process, the same in all of them; 0 if none has one."""
        return self.reduce(cause)[0]

    def reduce(self, cause: int, *others: int) -> list[int]:
        """The cause of any process, and the largest of other numbers over all processes."""
        if self.is_alone:
            return [cause, *others]
        shared = torch.tensor([cause or _NONE, *others])
        all_reduce(shared, "max", group=self._group)
        largest, *rest = shared.tolist()
        return [0 if largest == _NONE else largest, *rest]

    def rounds(self, every: bool) -> Rounds:
        """Begin to agree from time to time.

        Args:
            every: Whether at each step.

        Returns:
            The rounds.
        """
        return Rounds(self, every)


class Rounds:
    """Agreements at steps that all processes know, about a second apart.

    Processes may have different numbers of steps: one that has finished takes part until
    everybody has.
    """

    def __init__(self, agreement: Agreement, every: bool) -> None:
        self._agreement, self._every = agreement, every
        self._step = self._next = self._last = 0
        self._last_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the processes agree at the present step."""
        return self._step >= self._next

    def next(self, cause: int, is_end: bool) -> int:
        """Go on to the next step, or to the end.

        Args:
            cause: Cause of this process to end, 0 for none. It ends for it at this step.
            is_end: Whether this process has no more steps.

        Returns:
            The cause of any process, or 0.
        """
        if self._agreement.is_alone:
            return cause
        while self.is_due or cause or is_end:
            microseconds = 0 if is_end else int((time.monotonic() - self._last_at) * 1e6)
            pace = microseconds // max(1, self._step - self._last)
            agreed, is_running, pace = self._agreement.reduce(cause, int(not is_end), pace)
            if agreed or not is_running:
                return agreed
            # By the pace of the slowest, so that the next step is the same everywhere.
            self._last, self._last_at = self._next, time.monotonic()
            steps = 1 if self._every else max(1, int(_SPACING * 1e6 / max(1, pace)))
            self._next += steps
        self._step += 1
        return 0


def _read_timeout() -> timedelta | None:
    """The timeout of the default group, None if unknown."""
    group: Any = torch_dist.group.WORLD
    try:
        timeout: timedelta = group._get_backend(get_comm_device()).options._timeout
    except (AttributeError, RuntimeError):
        return None
    return timeout
