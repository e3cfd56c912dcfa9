"""The image that is drawn on, by methods of a visualizer and by matplotlib itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import geometry
from .errors import NoImageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from .canvas import Canvas
    from .figure_layer import FigureLayer

__all__ = ["DrawingSurface"]


class DrawingSurface:
    """An image, and a figure of matplotlib over it.

    What is drawn on the figure becomes part of the image with the next thing that is drawn
    otherwise, so that everything is in the order in which it was drawn. Until then its artists can
    be changed. matplotlib is imported with the first drawing.

    Args:
        fig_save_cfg: Arguments of :class:`matplotlib.figure.Figure`.

    Attributes:
        width: Width of the image in pixels, once one is set.
        height: Height of the image in pixels, once one is set.
    """

    width: int
    height: int

    def __init__(self, fig_save_cfg: dict[str, Any]) -> None:
        self.fig_save_cfg = fig_save_cfg
        self._image: np.ndarray | None = None
        self._canvas: Canvas | None = None
        #: The image that the canvas was made for.
        self._canvas_of: np.ndarray | None = None
        self._layer: FigureLayer | None = None
        self._font_size: float | None = None

    def set_image(self, image: np.ndarray) -> None:
        """Set the image to draw on. What was drawn before is gone.

        Args:
            image: RGB of shape (height, width, 3), RGBA, whose opacity is ignored, or grey of shape
                (height, width) or (height, width, 1), numbers of 0 to 255; fractions are rounded.
                It is copied.

        Raises:
            TypeError: If it holds anything but numbers.
            ValueError: If its shape is another, or a number is not of 0 to 255.
        """
        self._image = geometry.as_image("image", image)
        self.height, self.width = self._image.shape[:2]
        self._canvas = self._font_size = None
        if self._layer is not None:
            self._layer.reset(self.width, self.height)

    def get_image(self) -> np.ndarray:
        """The image with what was drawn on it.

        Returns:
            A copy, RGB of shape (height, width, 3), uint8. Pixels that nothing was drawn on are
            exactly those of the image that was set.

        Raises:
            RuntimeError: If no image was set.
        """
        if self._layer is not None:
            return self._current_canvas().image_below(self._layer)
        return self._image_without_figure()

    @property
    def ax_save(self) -> Axes:
        """Axes over the image in units of pixels: x goes right, y goes down, without a frame."""
        return self._figure_layer().axes

    @property
    def fig_save(self) -> Figure:
        """The figure of :attr:`ax_save`."""
        return self._figure_layer().figure

    @property
    def fig_save_canvas(self) -> FigureCanvasAgg:
        """The canvas of :attr:`fig_save`. It renders the image with everything drawn on it."""
        return self._figure_layer().canvas

    @property
    def dpi(self) -> float:
        """Pixels in an inch of the figure: a point is ``dpi / 72`` pixels."""
        return self._figure_layer().figure.dpi

    @property
    def _default_font_size(self) -> float:
        """Size of fonts in points by the size of the image; once set, that of texts as well."""
        if self._font_size is not None:
            return self._font_size
        height, width = self._image_or_fail().shape[:2]
        return max((height * width) ** 0.5 // 90, 10)

    @_default_font_size.setter
    def _default_font_size(self, size: float) -> None:
        self._font_size = size

    def _initialize_fig(self, fig_cfg: dict[str, Any]) -> tuple[FigureCanvasAgg, Figure, Axes]:
        """Make another figure, with axes without a frame that fill it."""
        from .figure_layer import make_figure

        return make_figure(fig_cfg)

    def _is_posion_valid(self, position: Any) -> bool:
        """Whether all points (x, y), of shape (..., 2), are inside of the image."""
        points = geometry.as_array("position", position).reshape(-1, 2)
        height, width = self._image_or_fail().shape[:2]
        return bool(((points >= 0) & (points < (width, height))).all())

    def _image_or_fail(self) -> np.ndarray:
        if self._image is None:
            raise NoImageError("there is no image to draw on: call set_image first, or give image=")
        return self._image

    def _image_without_figure(self) -> np.ndarray:
        """The image with what was drawn on it, except for what the figure still has."""
        image = self._image_or_fail()
        if self._canvas is not None and self._canvas_of is image:
            return self._canvas.image()
        return image.copy()

    def _current_canvas(self) -> Canvas:
        """The canvas of the image. A subclass may have set another image by itself."""
        image = self._image_or_fail()
        if self._canvas is None or self._canvas_of is not image:
            from .canvas import Canvas

            self._canvas = Canvas(image, self.fig_save_cfg)
            self._canvas_of = image
        return self._canvas

    def _drawn_on(self) -> Canvas:
        """The canvas to draw on, with what the figure had before."""
        canvas = self._current_canvas()
        if self._layer is not None and not self._layer.is_empty():
            canvas.draw_layer(self._layer)
            self._layer.reset()
        return canvas

    def _figure_layer(self) -> FigureLayer:
        if self._layer is None:
            from .figure_layer import FigureLayer

            self._layer = FigureLayer(self.fig_save_cfg, self._pixels_below)
        return self._layer

    def _pixels_below(self) -> np.ndarray | None:
        return None if self._image is None else self._image_without_figure()
