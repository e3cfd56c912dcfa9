"""Drawing surface of a visualizer: an image, and a figure of matplotlib over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import geometry
from .errors import NoImageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from .canvas import Canvas
    from .figure_layer import FigureLayer
    from .types import Arguments, Coordinates

__all__ = ["DrawingSurface"]


class DrawingSurface:
    """An image, and a figure of matplotlib over it.

    Artists of the figure become part of the image when a method of the visualizer draws next, which
    keeps the order of drawing. Until then they can be changed. matplotlib is imported with the
    first drawing.

    Args:
        fig_save_cfg: Arguments of :class:`matplotlib.figure.Figure`.

    Attributes:
        width: Width of the image in pixels, set with the image.
        height: Height of the image in pixels, set with the image.
    """

    width: int
    height: int

    def __init__(self, fig_save_cfg: Arguments) -> None:
        self.fig_save_cfg = fig_save_cfg
        self._image: np.ndarray | None = None
        self._canvas: Canvas | None = None
        #: The image that the canvas was made for.
        self._canvas_of: np.ndarray | None = None
        self._layer: FigureLayer | None = None
        self._font_size: float | None = None

    def set_image(self, image: np.ndarray) -> None:
        """Set the image to draw on. Earlier drawings are discarded.

        Args:
            image: RGB of shape (height, width, 3), RGBA, whose opacity is ignored, or grey of shape
                (height, width) or (height, width, 1), numbers of 0 to 255; fractions are rounded.
                It is copied.

        Raises:
            TypeError: If it is not numeric.
            ValueError: If its shape is invalid, or a value is outside of 0 to 255.
        """
        self._image = geometry.as_image("image", image)
        self.height, self.width = self._image.shape[:2]
        self._canvas = self._font_size = None
        if self._layer is not None:
            self._layer.reset(self.width, self.height)

    def get_image(self) -> np.ndarray:
        """Return the image with everything drawn on it.

        Returns:
            A copy, RGB of shape (height, width, 3), uint8. Pixels that nothing covers equal those
            of the image that was set.

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
        """The canvas of :attr:`fig_save`, which renders the image with everything drawn on it."""
        return self._figure_layer().canvas

    @property
    def dpi(self) -> float:
        """Pixels per inch of the figure: a point is ``dpi / 72`` pixels."""
        return self._figure_layer().figure.dpi

    @property
    def _default_font_size(self) -> float:
        """Font size in points, by the size of the image. Setting it changes that of texts."""
        if self._font_size is not None:
            return self._font_size
        height, width = self._require_image().shape[:2]
        return max((height * width) ** 0.5 // 90, 10)

    @_default_font_size.setter
    def _default_font_size(self, size: float) -> None:
        self._font_size = size

    def _initialize_fig(self, fig_cfg: Arguments) -> tuple[FigureCanvasAgg, Figure, Axes]:
        """Make another figure, with axes without a frame that fill it."""
        from .figure_layer import make_figure

        return make_figure(fig_cfg)

    def _is_posion_valid(self, position: Coordinates) -> bool:
        """Whether all points (x, y), of shape (..., 2), are inside the image."""
        points = geometry.as_array("position", position).reshape(-1, 2)
        height, width = self._require_image().shape[:2]
        return bool(((points >= 0) & (points < (width, height))).all())

    def _require_image(self) -> np.ndarray:
        if self._image is None:
            raise NoImageError("no image to draw on: call set_image first, or pass image=")
        return self._image

    def _image_without_figure(self) -> np.ndarray:
        """Return the image with everything drawn on it, without the artists of the figure."""
        image = self._require_image()
        if self._canvas is not None and self._canvas_of is image:
            return self._canvas.image()
        return image.copy()

    def _current_canvas(self) -> Canvas:
        """Return the canvas of the image. A subclass may have replaced the image."""
        image = self._require_image()
        if self._canvas is None or self._canvas_of is not image:
            from .canvas import Canvas

            self._canvas = Canvas(image, self.fig_save_cfg)
            self._canvas_of = image
        return self._canvas

    def _prepare_canvas(self) -> Canvas:
        """Return the canvas to draw on, after drawing the artists of the figure on it."""
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
