"""Figure of matplotlib over an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eng.utils import ArgumentValueError, override

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

    from .types import Arguments

__all__ = ["FigureLayer", "make_figure"]

#: Added to width and height in pixels, since matplotlib truncates them.
_ROUNDING = 1e-6


def make_figure(figure_cfg: Arguments) -> tuple[FigureCanvasAgg, Figure, Axes]:
    """Make a figure with axes without a frame that fill it.

    Args:
        figure_cfg: Arguments of :class:`matplotlib.figure.Figure`. ``dpi`` defaults to 72.

    Returns:
        The canvas, the figure and the axes.

    Raises:
        ValueError: If an argument of the figure is unknown or invalid.
    """
    try:
        figure = Figure(**{**figure_cfg, "dpi": figure_cfg.get("dpi") or 72})
    except (AttributeError, TypeError, ValueError) as error:
        raise ArgumentValueError(f"invalid arguments of a figure, {figure_cfg}: {error}") from error
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return FigureCanvasAgg(figure), figure, axes


class FigureLayer:
    """Axes in pixels of an image: x goes right, y goes down, (0, 0) is the top left corner.

    Figure and axes stay the same objects from image to image. Their own canvas renders the image
    below the artists.

    Args:
        figure_cfg: Arguments of :class:`matplotlib.figure.Figure`.
        image: Returns the image, of shape (height, width, 3), uint8, or None.

    Attributes:
        canvas: The canvas of the figure.
        figure: The figure.
        axes: The axes.

    Raises:
        ValueError: If an argument of the figure is unknown or invalid.
    """

    def __init__(self, figure_cfg: Arguments, image: Callable[[], np.ndarray | None]) -> None:
        self.canvas, self.figure, self.axes = make_figure(figure_cfg)
        self._background = _Background(image)
        self.figure.add_artist(self._background)
        given = image()
        self._size = (given.shape[1], given.shape[0]) if given is not None else (1, 1)
        self._fit()
        self._empty = self._count()

    def is_empty(self) -> bool:
        """Whether nothing was added to the figure or its axes."""
        return self._count() == self._empty

    def reset(self, width: int | None = None, height: int | None = None) -> None:
        """Remove the artists of the figure.

        Args:
            width: Width of the image in pixels. Defaults to None, unchanged.
            height: Height of the image in pixels. Defaults to None, unchanged.
        """
        for artist in self.figure.get_children():
            if artist not in (self.figure.patch, self.axes, self._background):
                artist.remove()
        self.axes.clear()
        self._size = (width or self._size[0], height or self._size[1])
        self._fit()

    def draw(self, renderer: RendererBase) -> None:
        """Draw the artists of the figure, without its background.

        Args:
            renderer: The renderer to draw with.
        """
        hidden = (self.figure.patch, self._background)
        shown = [artist for artist in hidden if artist.get_visible()]
        for artist in shown:
            artist.set_visible(False)
        try:
            self.figure.draw(renderer)
        finally:
            for artist in shown:
                artist.set_visible(True)

    def _count(self) -> tuple[int, int]:
        return len(self.figure.get_children()), len(self.axes.get_children())

    def _fit(self) -> None:
        """Make a unit of the axes a pixel, and keep it so when artists are added."""
        width, height = self._size
        dpi = self.figure.dpi
        self.figure.set_size_inches((width + _ROUNDING) / dpi, (height + _ROUNDING) / dpi)
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)


class _Background(Artist):
    """The image, pixel by pixel."""

    def __init__(self, image: Callable[[], np.ndarray | None]) -> None:
        super().__init__()
        self.set_zorder(-1e9)
        self._image = image

    @override
    def draw(self, renderer: RendererBase) -> None:
        """Draw the image at the bottom left."""
        pixels = self._image() if self.get_visible() else None
        if pixels is None:
            return
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        settings = renderer.new_gc()
        # The renderer counts rows from the bottom, the image from the top.
        renderer.draw_image(settings, 0, 0, np.concatenate([pixels, opaque], axis=2)[::-1])
        settings.restore()
