"""Decide which checkpoints are kept."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["retain"]


def retain(kept: Sequence[int], new: int, max_keep: int) -> tuple[list[int], list[int]]:
    """Decide which of the interval checkpoints are kept when one is added.

    Args:
        kept: Epochs or iterations of those kept so far, the oldest first.
        new: That of the new one, which may be there already.
        max_keep: How many are kept at most; below 1 all of them.

    Returns:
        Those to keep, the new one last, and those to remove.

    Examples:
        >>> retain([1, 2, 3], 4, 2)
        ([3, 4], [1, 2])
        >>> retain([1, 2], 2, -1)
        ([1, 2], [])
    """
    found = [*(each for each in kept if each != new), new]
    surplus = len(found) - max_keep if max_keep > 0 else 0
    return found[max(0, surplus) :], found[: max(0, surplus)]
