"""Window of matplotlib that shows images and waits for a key."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.backend_bases import CloseEvent, FigureManagerBase, KeyEvent
from matplotlib.figure import Figure

from .types import Arguments

__all__ = ["Window", "wait_continue"]


class Window:
    """A window of the GUI backend of matplotlib. It opens with the first image.

    Without a GUI, such as on a machine without a display, it warns and shows nothing. Notebooks
    show the image below the cell.

    Args:
        figure_cfg: Arguments of :func:`matplotlib.pyplot.figure`.
    """

    def __init__(self, figure_cfg: Arguments) -> None:
        self._figure_cfg = figure_cfg
        self._figure: Any = None

    @property
    def manager(self) -> FigureManagerBase | None:
        """The window manager of matplotlib; None if the window is not open."""
        return None if self._figure is None else self._figure.canvas.manager

    def open(self, title: str) -> bool:
        """Open the window unless it is open.

        Args:
            title: Title of the window.

        Returns:
            Whether it is open.
        """
        if not self._open():
            return False
        if self.manager is not None:
            self.manager.set_window_title(title)
        return True

    def show(
        self, image: np.ndarray, title: str, wait_time: float, continue_key: str
    ) -> Figure | None:
        """Replace the image shown, and wait.

        Args:
            image: RGB of shape (height, width, 3), uint8.
            title: Title of the window.
            wait_time: Timeout in seconds. 0 waits until the key is pressed or the window is
                closed.
            continue_key: The key that ends the wait.

        Returns:
            The figure in a notebook, else None.
        """
        if not self.open(title):
            warnings.warn(
                f"nothing is shown: the backend {pyplot.get_backend()!r} of matplotlib cannot open"
                " windows here (is a display available?); save the image instead, with get_image"
                " or add_image",
                stacklevel=4,
            )
            return None
        self._show_pixels(image)
        if "inline" in pyplot.get_backend().lower():
            shown: Figure = self._figure
            pyplot.show()
            self.close()
            return shown
        self._figure.canvas.draw_idle()
        self._figure.show()
        wait_continue(self._figure, wait_time, continue_key)
        return None

    def close(self) -> None:
        """Close the window if it is open."""
        if self._figure is not None:
            pyplot.close(self._figure)
        self._figure = None

    def _open(self) -> bool:
        """Try to open the window; return whether it is open."""
        if self._figure is not None and pyplot.fignum_exists(self._figure.number):
            return True
        try:
            self._figure = pyplot.figure(**self._figure_cfg)
        except ImportError:  # raised by matplotlib if its GUI has no display
            return False
        gui = getattr(self._figure.canvas, "required_interactive_framework", None)
        if gui is None and "inline" not in pyplot.get_backend().lower():
            self.close()
            return False
        return True

    def _show_pixels(self, image: np.ndarray) -> None:
        height, width = image.shape[:2]
        figure = self._figure
        figure.clear()
        figure.set_size_inches(width / figure.dpi, height / figure.dpi)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.imshow(image, interpolation="nearest")


def wait_continue(figure: Figure, timeout: float = 0, continue_key: str = " ") -> int:
    """Wait until a key is pressed in a window of matplotlib, it is closed, or a timeout.

    Args:
        figure: The figure of the window.
        timeout: Timeout in seconds. Defaults to 0, without limit.
        continue_key: The key that ends the wait. Defaults to the space key.

    Returns:
        1 if the window was closed, else 0.
    """
    canvas: Any = figure.canvas
    is_closed = False

    def on_key(event: KeyEvent) -> None:
        if event.key == continue_key:
            canvas.stop_event_loop()

    def on_close(event: CloseEvent) -> None:
        nonlocal is_closed
        is_closed = True
        canvas.stop_event_loop()

    events = [
        canvas.mpl_connect("key_press_event", on_key),
        canvas.mpl_connect("close_event", on_close),
    ]
    canvas.start_event_loop(timeout)
    for event in events:
        canvas.mpl_disconnect(event)
    return int(is_closed)
