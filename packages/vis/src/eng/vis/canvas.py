"""An image that is drawn on, with the renderer of matplotlib and nothing of its global state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import (
    CircleCollection,
    Collection,
    LineCollection,
    PathCollection,
    PolyCollection,
)
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.markers import MarkerStyle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from eng.utils import ArgumentValueError

from . import settings
from .figure_layer import FigureLayer

__all__ = ["Canvas"]

VERTICAL = ("top", "center", "bottom", "baseline", "center_baseline")
HORIZONTAL = ("left", "center", "right")


class Canvas:
    """An image and what is drawn on it, at once: what has been drawn is pixels, and forgotten.

    x goes right and y goes down; (0, 0) is the top left corner of the image, (width, height) the
    bottom right one, so the centre of the first pixel is (0.5, 0.5).

    The renderer works on the pixels of the image themselves, so pixels that nothing covers stay
    as they were.

    Args:
        image: The image, of shape (height, width, 3), uint8. It is copied.
        figure_cfg: Arguments of :class:`matplotlib.figure.Figure`. With its ``dpi``, 72 where it
            has none, a point is ``dpi / 72`` pixels. Its ``figsize`` has no effect: the size is
            that of the image.

    Raises:
        ValueError: If an argument of the figure is none, or has no such value.
    """

    def __init__(self, image: np.ndarray, figure_cfg: dict[str, Any]) -> None:
        self.height, self.width = image.shape[:2]
        dpi = figure_cfg.get("dpi") or 72
        try:
            size = (self.width / dpi, self.height / dpi)
            self._figure = Figure(**{**figure_cfg, "dpi": dpi, "figsize": size})
        except (AttributeError, TypeError, ValueError) as error:
            raise ArgumentValueError(f"fig_save_cfg {figure_cfg}: {error}") from error
        self._renderer = RendererAgg(self.width, self.height, dpi)  # type: ignore[no-untyped-call]
        self._point = dpi / 72
        self._to_pixels = Affine2D().scale(1, -1).translate(0, self.height)
        buffer = self._renderer.buffer_rgba()  # type: ignore[no-untyped-call]
        self._pixels = np.asarray(buffer)
        self._pixels[..., :3] = image
        self._pixels[..., 3] = 255

    def image(self) -> np.ndarray:
        """A copy of the image with what was drawn.

        Returns:
            RGB of shape (height, width, 3), uint8.
        """
        return self._pixels[..., :3].copy()

    def draw_layer(self, layer: FigureLayer) -> None:
        """Draw what a figure has.

        Args:
            layer: The figure.
        """
        layer.draw(self._renderer)

    def image_below(self, layer: FigureLayer) -> np.ndarray:
        """A copy of the image with what a figure has, which is not drawn on the image itself.

        Args:
            layer: The figure.

        Returns:
            RGB of shape (height, width, 3), uint8.
        """
        before = self._pixels.copy()
        try:
            self.draw_layer(layer)
            return self.image()
        finally:
            self._pixels[...] = before

    def polygons(self, polygons: Any, *outline: Any) -> None:
        """Draw polygons.

        Args:
            polygons: Their corners, arrays of shape (n, 2), or one of shape (N, n, 2).
            *outline: As of :func:`_outline`.
        """
        looks = _outline(len(polygons), *outline)
        # What has no length is not drawn: a single corner becomes a dot, as wide as lines are.
        shapes = [
            corners if len(corners) > 1 else corners + np.array([[-width / 2, 0], [width / 2, 0]])
            for corners, width in zip(
                polygons, np.multiply(looks["linewidths"], self._point), strict=True
            )
        ]
        if shapes:
            self._draw(
                PolyCollection(shapes, joinstyle="miter", transform=self._to_pixels, **looks)
            )

    def circles(self, center: np.ndarray, radius: np.ndarray, *outline: Any) -> None:
        """Draw circles.

        Args:
            center: Their centres, of shape (N, 2).
            radius: Their radii in pixels, of shape (N,).
            *outline: As of :func:`_outline`.
        """
        looks = _outline(len(center), *outline)
        if len(center):
            areas = np.pi * (radius / self._point) ** 2
            self._draw(
                CircleCollection(areas, offsets=center, offset_transform=self._to_pixels, **looks)
            )

    def lines(self, segments: np.ndarray, colors: Any, line_styles: Any, line_widths: Any) -> None:
        """Draw line segments.

        Args:
            segments: Their ends, of shape (N, 2, 2).
            colors: Their colours.
            line_styles: Their styles.
            line_widths: Their widths in points.
        """
        count = len(segments)
        looks: dict[str, Any] = {
            "segments": segments,
            "colors": settings.colors("colors", colors, count),
            "linestyles": settings.styles("line_styles", line_styles, count),
            "linewidths": settings.numbers("line_widths", line_widths, count),
        }
        if count:
            self._draw(LineCollection(transform=self._to_pixels, **looks))

    def points(self, positions: np.ndarray, colors: Any, marker: Any, sizes: Any) -> None:
        """Draw points.

        Args:
            positions: Their positions, of shape (N, 2).
            colors: Their colours.
            marker: A marker of matplotlib. None for a disc.
            sizes: Their areas in square points. None for 36.
        """
        count = len(positions)
        style = MarkerStyle("o" if marker is None else marker)
        rgba = settings.colors("colors", colors, count)
        areas = settings.numbers("sizes", 36 if sizes is None else sizes, count)
        looks: dict[str, Any] = {"facecolors": rgba, "linewidths": 0}
        if not style.is_filled():
            looks = {"facecolors": "none", "edgecolors": rgba, "linewidths": 1.5}
        if count:
            path = style.get_path().transformed(style.get_transform())
            self._draw(
                PathCollection(
                    [path], areas, offsets=positions, offset_transform=self._to_pixels, **looks
                )
            )

    def texts(
        self,
        texts: Sequence[str],
        positions: np.ndarray,
        font_sizes: Any = None,
        colors: Any = "g",
        vertical_alignments: Any = "top",
        horizontal_alignments: Any = "left",
        font_families: Any = "sans-serif",
        bboxes: Any = None,
        font_properties: Any = None,
    ) -> None:
        """Draw texts.

        Args:
            texts: The texts.
            positions: The position of each, of shape (N, 2).
            font_sizes: Their sizes in points. None for :meth:`font_size`.
            colors: Their colours.
            vertical_alignments: Which part of each is at y.
            horizontal_alignments: Which part of each is at x.
            font_families: Their fonts.
            bboxes: Settings of the box around each, of
                :class:`matplotlib.patches.FancyBboxPatch`. None for no box.
            font_properties: Their :class:`matplotlib.font_manager.FontProperties`, which take
                precedence over ``font_families``. None for none.
        """
        n = len(texts)
        sizes = self.font_size() if font_sizes is None else font_sizes
        boxes = bboxes if isinstance(bboxes, (list, tuple)) else [bboxes]
        columns = (
            settings.numbers("font_sizes", sizes, n),
            settings.colors("colors", colors, n),
            settings.names("vertical_alignments", vertical_alignments, n, VERTICAL),
            settings.names("horizontal_alignments", horizontal_alignments, n, HORIZONTAL),
            settings.fonts(font_families, font_properties, n),
            settings.spread("bboxes", boxes, n),
        )
        artists = [
            self._text(text, x, y, *looks)
            for text, (x, y), *looks in zip(texts, positions, *columns, strict=True)
        ]
        for artist in artists:
            self._draw(artist)

    def font_size(self) -> float:
        """Size of a font in points that can be read on this image: 14 pixels at least."""
        return max(14.0, (self.width * self.height) ** 0.5 / 60) / self._point

    def masks(self, masks: np.ndarray, colors: Any, alphas: Any) -> None:
        """Blend colours into the pixels of masks, one mask after the other.

        Args:
            masks: Booleans of shape (N, height, width).
            colors: Their colours.
            alphas: Opacity of each, of 0 to 1.
        """
        rgba = settings.colors("colors", colors, len(masks))
        opacity = rgba[:, 3] * settings.numbers("alphas", alphas, len(masks), most=1)
        pixels = self._pixels[..., :3]
        for mask, color, alpha in zip(masks, rgba[:, :3] * 255, opacity, strict=True):
            pixels[mask] = np.rint(pixels[mask] * (1 - alpha) + color * alpha)

    def _text(
        self, text: str, x: float, y: float, size: float, color: Any, va: Any, ha: Any,
        font: FontProperties, box: Any,
    ) -> Text:  # fmt: skip
        """A text that has its place, so that nothing is wrong with it."""
        try:
            artist = Text(
                x, y, text, fontproperties=font, fontsize=size, color=color, verticalalignment=va,
                horizontalalignment=ha, bbox=box, transform=self._to_pixels,
            )  # fmt: skip
            artist.set_figure(self._figure)
            artist.get_window_extent(self._renderer)
        except (AttributeError, TypeError, ValueError) as error:
            raise ArgumentValueError(
                f"texts: {text!r} with the box {box!r} cannot be written: {error}"
            ) from error
        return artist

    def _draw(self, artist: Artist) -> None:
        artist.set_figure(self._figure)
        if isinstance(artist, Collection):
            # Two values, though they are the same: an object of one look is drawn as a marker, up
            # to half a pixel away from where it is drawn among others.
            artist.set_antialiased([True, True])
        artist.draw(self._renderer)


def _outline(
    count: int,
    edge_colors: Any,
    line_styles: Any,
    line_widths: Any,
    face_colors: Any,
    alpha: Any,
) -> dict[str, Any]:
    """How polygons and circles look, as arguments of a collection of matplotlib."""
    opacity = settings.numbers("alpha", alpha, count, most=1)
    faces = "none" if face_colors is None else face_colors
    return {
        "edgecolors": settings.colors("edge_colors", edge_colors, count, opacity),
        "facecolors": settings.colors("face_colors", faces, count, opacity),
        "linestyles": settings.styles("line_styles", line_styles, count),
        "linewidths": settings.numbers("line_widths", line_widths, count),
    }
