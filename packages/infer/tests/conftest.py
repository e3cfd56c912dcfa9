"""What no test of inferencers leaves to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eng.registry import DefaultScope


@pytest.fixture(autouse=True)
def no_default_scope() -> Iterator[None]:
    """Isolate default scopes: an earlier test of the process may have built a runner."""
    with DefaultScope.isolated():
        yield
