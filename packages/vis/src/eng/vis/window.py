"""A window that shows images, and waits for a key."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.backend_bases import KeyEvent

__all__ = ["Window"]


class Window:
    """A window of the GUI that matplotlib chooses. It opens with the first image.

    Where matplotlib has no GUI, as on a machine without a display, nothing is shown and a
    warning says so. Notebooks show the image below the cell.

    Args:
        figure_cfg: Arguments of :func:`matplotlib.pyplot.figure`.
    """

    def __init__(self, figure_cfg: dict[str, Any]) -> None:
        self._figure_cfg = figure_cfg
        self._figure: Any = None

    def show(self, image: np.ndarray, title: str, wait_time: int, continue_key: str) -> None:
        """Show an image, in the place of the one before, and wait.

        Args:
            image: RGB of shape (height, width, 3), uint8.
            title: Title of the window.
            wait_time: How long to wait at most, in milliseconds. 0 waits until the key is pressed
                or the window is closed.
            continue_key: The key that ends the wait.
        """
        if not self._open():
            warnings.warn(
                f"nothing is shown: the backend {pyplot.get_backend()!r} of matplotlib opens no"
                " windows here (is there a display?); save the image instead, with get_image or"
                " add_image",
                stacklevel=4,
            )
            return
        self._fill(image, title)
        if "inline" in pyplot.get_backend().lower():
            pyplot.show()
            self.close()
            return
        self._figure.canvas.draw_idle()
        self._figure.show()
        self._wait(wait_time / 1000, continue_key)

    def close(self) -> None:
        """Close the window, if it is open."""
        if self._figure is not None:
            pyplot.close(self._figure)
        self._figure = None

    def _open(self) -> bool:
        """Whether there is a window, after trying to open one."""
        if self._figure is not None and pyplot.fignum_exists(self._figure.number):
            return True
        try:
            self._figure = pyplot.figure(**self._figure_cfg)
        except ImportError:  # how matplotlib says that its GUI has no display
            return False
        gui = getattr(self._figure.canvas, "required_interactive_framework", None)
        if gui is None and "inline" not in pyplot.get_backend().lower():
            self.close()
            return False
        return True

    def _fill(self, image: np.ndarray, title: str) -> None:
        height, width = image.shape[:2]
        figure = self._figure
        figure.clear()
        figure.set_size_inches(width / figure.dpi, height / figure.dpi)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.imshow(image, interpolation="nearest")
        if figure.canvas.manager is not None:
            figure.canvas.manager.set_window_title(title)

    def _wait(self, seconds: float, continue_key: str) -> None:
        canvas = self._figure.canvas

        def on_key(event: KeyEvent) -> None:
            if event.key == continue_key:
                canvas.stop_event_loop()

        events = [
            canvas.mpl_connect("key_press_event", on_key),
            canvas.mpl_connect("close_event", lambda event: canvas.stop_event_loop()),
        ]
        canvas.start_event_loop(seconds)
        for event in events:
            canvas.mpl_disconnect(event)
