"""Parse durations."""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import RunnerConfigError

__all__ = ["seconds_of"]

_FORM = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")


def seconds_of(name: str, value: object) -> float | None:
    """The seconds of a duration.

    Args:
        name: Name of the setting, for the message.
        value: Seconds, a timedelta, ``'[[days-]hours:]minutes:seconds'``, or None.

    Returns:
        The seconds, None for None.

    Raises:
        RunnerConfigError: If it is invalid, or not positive.
    """
    if value is None:
        return None
    seconds = _parse(value)
    if seconds is None or not 0 < seconds < float("inf"):
        raise RunnerConfigError(
            f"{name} must be a positive number of seconds or a text such as '11:50:00' or "
            f"'1-11:50:00', got {value!r}"
        )
    return seconds


def _parse(value: object) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
