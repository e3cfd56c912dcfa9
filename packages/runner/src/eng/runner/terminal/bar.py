"""Progress bar of a loop, drawn by tqdm on the last line of a terminal."""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from importlib.util import find_spec
from typing import Any, TextIO

from .place import Place, measure_width
from .streams import AboveBar, bare_stream

__all__ = ["Bar"]

#: Fields from the most to the least important: what exceeds the line is cut off.
_FORMAT = "{desc} {bar} {n_fmt}/{total_fmt}{texts}  {rate_noinv_fmt}  {remaining} left"
_ENDS_OF_LINE = ("\n", "\r")

#: The bar that is on the screen: of several runs of a process, one.
_drawn: Bar | None = None


class Bar:
    """A progress bar, which is hidden while other text is printed.

    It is drawn only by :meth:`move`, so that it costs nothing between two calls. A loop within
    another one, such as a validation, has the place of the other until it ends.

    Args:
        place: ``'terminal'`` or ``'notebook'``.
        stream: Stream of the bar.
    """

    def __init__(self, place: Place, stream: TextIO) -> None:
        self._place, self._stream = place, stream
        self._bars: list[Any] = []
        self._is_mid_line = False
        self._pid = os.getpid()
        self._lock = threading.RLock()  # log lines of other threads
        self._replaced: dict[str, tuple[TextIO, AboveBar]] = {}

    @staticmethod
    def is_available() -> bool:
        """Return whether the library that draws it is installed."""
        return find_spec("tqdm") is not None

    @property
    def is_open(self) -> bool:
        """Whether a loop is shown."""
        return bool(self._bars) and self._bars[-1] is not None

    def start(self, title: str, done: int, total: int | None) -> None:
        """Begin a loop, perhaps within another one.

        Args:
            title: Text before the bar.
            done: Iterations done before.
            total: Iterations of the whole loop, None if unknown.
        """
        with self._lock:
            self.hide()
            if self._place == "notebook" and self._bars:
                # Each bar is an output of the cell, which would be full of those of validations.
                self._bars.append(None)
                return
            if self._place == "terminal" and not self._bars:
                self._replace_streams()
            self._claim()
            kind, settings = _find_kind(self._place)
            bar = kind(
                total=total,
                initial=done,
                desc=title,
                file=self._stream,
                leave=False,
                mininterval=0,
                miniters=1,
                smoothing=0.1,
                bar_format=_FORMAT,
                **settings,
            )
            self._bars.append(bar)

    def move(self, done: int, title: str, texts: str) -> None:
        """Draw it at a number of iterations.

        Args:
            done: Iterations done.
            title: Text before the bar.
            texts: Text behind the bar.
        """
        with self._lock:
            if not self.is_open or self._is_mid_line:  # somebody's line is not complete yet
                return
            self._claim()
            bar = self._bars[-1]
            bar.desc = title  # without set_description, which adds a colon
            bar.texts = f"  {texts}" if texts else ""
            bar.update(done - bar.n)

    def end(self) -> None:
        """End the innermost loop, whose time does not count for the speed of the outer one."""
        with self._lock:
            self.hide()
            bar = self._bars.pop() if self._bars else None
            if bar is not None:
                bar.close()
            if self.is_open:
                self._bars[-1].unpause()
            elif not self._bars:
                self._restore_streams()

    def close(self) -> None:
        """End all loops."""
        while self._bars:
            self.end()

    def hide(self) -> None:
        """Remove it from the screen until it is drawn again."""
        global _drawn  # noqa: PLW0603 - the screen is one for all
        with self._lock:
            if self.is_open and _drawn is self:
                _drawn = None
                if not hasattr(self._bars[-1], "container"):  # of a notebook, with its own place
                    self._bars[-1].clear()

    def give_way(self, text: str) -> None:
        """Hide it for a text, and until the line of the text is complete."""
        if text and os.getpid() == self._pid:  # not in a worker, which may have copied a held lock
            with self._lock:
                self.hide()
                self._is_mid_line = not text.endswith(_ENDS_OF_LINE)

    def print_line(self, text: str, stream: TextIO) -> None:
        """Print lines above it."""
        with self._lock:
            was_drawn = _drawn is self
            if _drawn is not None:
                _drawn.hide()
            stream.write(f"\n{text}\n" if self._is_mid_line else f"{text}\n")
            self._is_mid_line = False
            if was_drawn and self.is_open:
                self._claim()
                self._bars[-1].refresh()
            stream.flush()

    def _claim(self) -> None:
        """Take the last line of the screen from the bar of another run."""
        global _drawn  # noqa: PLW0603
        if _drawn is not None and _drawn is not self:
            _drawn.hide()
        _drawn = self

    def _replace_streams(self) -> None:
        """Print above the bar, as far as the streams are shown on the terminal."""
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            bare = bare_stream(stream)
            if bare is not None and hasattr(bare, "isatty") and bare.isatty():
                above = AboveBar(stream, self)
                self._replaced[name] = stream, above
                setattr(sys, name, above)

    def _restore_streams(self) -> None:
        self._is_mid_line = False
        for name, (stream, above) in self._replaced.items():
            if getattr(sys, name) is above:  # otherwise somebody has replaced it since
                setattr(sys, name, stream)
        self._replaced.clear()


def _find_kind(place: Place) -> tuple[Any, dict[str, object]]:
    """Return the class of the bar, and settings of its width."""
    if place == "notebook" and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as notebook_bar

        return _derive(notebook_bar), {}
    from tqdm.std import tqdm as bar

    if place == "notebook":
        return _derive(bar), {"ncols": measure_width(place), "position": 0}
    return _derive(bar), {"dynamic_ncols": True, "position": 0}


@functools.cache
def _derive(base: Any) -> Any:
    """Derive a class without the threads and locks of processes that tqdm shares between bars."""
    members = {
        "monitor_interval": 0,
        "_instances": weakref.WeakSet(),
        "texts": "",
        "format_dict": property(lambda bar: {**base.format_dict.fget(bar), "texts": bar.texts}),
    }
    kind = type("_Bar", (base,), members)
    kind.set_lock(threading.RLock())  # type: ignore[attr-defined]
    return kind
