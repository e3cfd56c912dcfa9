"""Lines of the log that keep the numbers which they were formatted from."""

from __future__ import annotations

from eng.utils import StateDict

__all__ = ["LogLine"]


class LogLine(str):
    """A line of the log of a loop. A terminal formats it shorter than files.

    Args:
        text: The line.
        mode: ``'train'``, ``'val'`` or ``'test'``.
        scalars: Its numbers by name.
        is_end: Whether it is of the end of a validation or test. Defaults to False.
    """

    __slots__ = ("is_end", "mode", "scalars")

    mode: str
    scalars: StateDict
    is_end: bool

    def __new__(  # noqa: D102 - as the class
        cls,
        text: str,
        mode: str = "",  # with defaults, as copies are made of the text alone first
        scalars: StateDict | None = None,
        is_end: bool = False,
    ) -> LogLine:
        line = super().__new__(cls, text)
        line.mode, line.scalars, line.is_end = mode, scalars or {}, is_end
        return line
