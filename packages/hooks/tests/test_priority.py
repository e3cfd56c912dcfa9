"""Priorities by name and number."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


from eng.hooks import (
    Priority,
    get_priority,
)


def test_priorities() -> None:
    assert get_priority("very_high") == 10 == get_priority(Priority.VERY_HIGH)
    assert get_priority(77) == 77
    for bad in ("urgent", -1, 101):
        with pytest.raises(ValueError, match="priority"):
            get_priority(bad)
    with pytest.raises(TypeError):
        get_priority(1.5)  # type: ignore[arg-type]
