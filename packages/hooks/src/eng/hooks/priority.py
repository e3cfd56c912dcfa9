"""The order in which hooks run."""

from __future__ import annotations

from enum import Enum

__all__ = ["Priority", "get_priority"]


class Priority(Enum):
    """Named priorities: a hook of a lower value runs earlier at every stage."""

    HIGHEST = 0
    VERY_HIGH = 10
    HIGH = 30
    ABOVE_NORMAL = 40
    NORMAL = 50
    BELOW_NORMAL = 60
    LOW = 70
    VERY_LOW = 90
    LOWEST = 100


def get_priority(priority: int | str | Priority) -> int:
    """The value of a priority.

    Args:
        priority: A value in [0, 100], or a name in any case.

    Returns:
        The value.

    Raises:
        ValueError: If the value is out of range or the name unknown.
        TypeError: If it is neither.
    """
    if isinstance(priority, Priority):
        return priority.value
    if isinstance(priority, str):
        name = priority.upper()
        if name not in Priority.__members__:
            raise ValueError(
                f"unknown priority {priority!r}; known are {list(Priority.__members__)}"
            )
        return Priority[name].value
    if isinstance(priority, int):
        if not 0 <= priority <= 100:
            raise ValueError(f"priority must be between 0 and 100, got {priority}")
        return priority
    raise TypeError(f"priority must be an int, a name or a Priority, not {priority!r}")
