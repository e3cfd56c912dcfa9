"""Decide by the clock of the first process when to save."""

from __future__ import annotations

from time import monotonic

from eng.dist import broadcast_object_list, is_main_process

__all__ = ["SaveClock"]

#: Seconds between two looks at the clock, which all processes take together.
_SPACING = 10.0


class SaveClock:
    """Says after an iteration that some minutes have passed since the last save.

    The first process looks at its clock, and tells the others after how many iterations it looks
    again: about every ten seconds, and more often when it is nearly time. In between an iteration
    costs a subtraction, and no process waits for another.

    Args:
        minutes: Minutes between two saves.
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60 * minutes
        self.restart()

    def restart(self) -> None:
        """Count from now on, as after a save. To be called in all processes at the same point."""
        self._saved_at = self._looked_at = monotonic()
        self._planned = self._left = 1

    def is_due(self) -> bool:
        """Whether to save now. To be called in all processes, after each iteration."""
        self._left -= 1
        if self._left > 0:
            return False
        boxes = [self._plan() if is_main_process() else 0]
        broadcast_object_list(boxes)
        self._planned = self._left = boxes[0]
        return self._left == 0

    def _plan(self) -> int:
        """Count the iterations until the next look; 0 if it is time to save."""
        now = monotonic()
        remaining = self._saved_at + self._seconds - now
        if remaining <= 0:
            return 0
        each = max(now - self._looked_at, 1e-6) / self._planned
        self._looked_at = now
        # Half of the remaining time, and no more than twice the last: iterations become slower.
        count = int(min(remaining / 2, _SPACING) / each)
        return max(1, min(count, 2 * self._planned))
