"""Check the settings that count something."""

from __future__ import annotations

from numbers import Real
from typing import Any

from .errors import RunnerAssertionError

__all__ = ["check_count"]


def check_count(name: str, value: Any, least: int = 1, of: str = "train_cfg") -> int:
    """Refuse values that are not counts.

    Args:
        name: Name of the setting.
        value: Its value; ``3.0`` counts as 3.
        least: The least that it may be. Defaults to 1.
        of: The setting of the runner that it is part of. Defaults to ``'train_cfg'``.

    Returns:
        The count.

    Raises:
        RunnerAssertionError: If it is not an integer, or less.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not float(value).is_integer() or value < least:
        raise RunnerAssertionError(
            f"{of}: {name} must be an integer of at least {least}, got {value!r}"
        )
    return int(value)
