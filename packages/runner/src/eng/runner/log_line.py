"""Lines of the log that keep the numbers which they were formatted from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["LogLine"]


class LogLine(str):
    """A line of the log of a loop. A terminal formats it shorter than files.

    Attributes:
        mode: ``'train'``, ``'val'`` or ``'test'``.
        scalars: Its numbers by name.
        is_end: Whether it is of the end of a validation or test.
    """

    mode: str = ""
    scalars: Mapping[str, Any] = MappingProxyType({})
    is_end: bool = False
