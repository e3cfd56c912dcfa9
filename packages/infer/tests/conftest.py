"""What no test of inferencers leaves to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eng.registry import DefaultScope


@pytest.fixture(autouse=True)
def no_default_scope() -> Iterator[None]:
    """Forget default scopes: a process may have had a runner before, or an earlier test."""
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
