"""Draw on an image with the renderer of matplotlib, without its global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from eng.utils import ArgumentValueError

from . import settings
from .figure_layer import FigureLayer
from .types import Arguments, Color, Colors, LineStyles, Names, Numbers, Outline, TextBoxes

__all__ = ["Canvas"]

VERTICAL = ("top", "center", "bottom", "baseline", "center_baseline")
HORIZONTAL = ("left", "center", "right")


class Canvas:
    """An image to draw on. Objects become pixels immediately and are not kept.

    x goes right and y goes down; (0, 0) is the top left corner of the image, (width, height) the
    bottom right one, so the centre of the first pixel is (0.5, 0.5).

    The renderer works on the pixels of the image themselves, so pixels that nothing covers are
    unchanged.

    Args:
        image: The image, of shape (height, width, 3), uint8. It is copied.
        figure_cfg: Arguments of :class:`matplotlib.figure.Figure`. A point is ``dpi / 72`` pixels;
            ``dpi`` defaults to 72. ``figsize`` is ignored: the size is that of the image.

    Raises:
        ValueError: If an argument of the figure is unknown or invalid.
    """

    def __init__(self, image: np.ndarray, figure_cfg: Arguments) -> None:
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
        """Return a copy of the image with everything drawn on it.

        Returns:
            RGB of shape (height, width, 3), uint8.
        """
        return self._pixels[..., :3].copy()

    def draw_layer(self, layer: FigureLayer) -> None:
        """Draw the artists of a figure."""
        layer.draw(self._renderer)

    def image_below(self, layer: FigureLayer) -> np.ndarray:
        """Return a copy of the image with the artists of a figure, which the image does not get.

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

    def polygons(self, polygons: Sequence[np.ndarray], outline: Outline) -> None:
        """Draw polygons.

        Args:
            polygons: Their corners, arrays of shape (n, 2).
            outline: Their edges and faces.
        """
        looks = _resolve_outline(outline, len(polygons))
        # The renderer skips lines of length 0: a single corner becomes a dot of the line's width.
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

    def circles(self, center: np.ndarray, radius: np.ndarray, outline: Outline) -> None:
        """Draw circles.

        Args:
            center: Their centres, of shape (N, 2).
            radius: Their radii in pixels, of shape (N,).
            outline: Their edges and faces.
        """
        looks = _resolve_outline(outline, len(center))
        if len(center):
            areas = np.pi * (radius / self._point) ** 2
            self._draw(
                CircleCollection(areas, offsets=center, offset_transform=self._to_pixels, **looks)
            )

    def lines(
        self, segments: np.ndarray, colors: Colors, line_styles: LineStyles, line_widths: Numbers
    ) -> None:
        """Draw line segments.

        Args:
            segments: Their ends, of shape (N, 2, 2).
            colors: Their colours.
            line_styles: Their styles.
            line_widths: Their widths in points.
        """
        count = len(segments)
        looks: Arguments = {
            "segments": segments,
            "colors": settings.colors("colors", colors, count),
            "linestyles": settings.styles("line_styles", line_styles, count),
            "linewidths": settings.numbers("line_widths", line_widths, count),
        }
        if count:
            self._draw(LineCollection(transform=self._to_pixels, **looks))

    def points(
        self, positions: np.ndarray, colors: Colors, marker: str | None, sizes: Numbers | None
    ) -> None:
        """Draw points.

        Args:
            positions: Their positions, of shape (N, 2).
            colors: Their colours.
            marker: A marker of matplotlib. None is a disc.
            sizes: Their areas in square points. None is 36.
        """
        count = len(positions)
        style = MarkerStyle("o" if marker is None else marker)
        rgba = settings.colors("colors", colors, count)
        areas = settings.numbers("sizes", 36 if sizes is None else sizes, count)
        looks: Arguments = {"facecolors": rgba, "linewidths": 0}
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
        font_sizes: Numbers | None = None,
        colors: Colors = "g",
        vertical_alignments: Names = "top",
        horizontal_alignments: Names = "left",
        font_families: Names = "sans-serif",
        bboxes: TextBoxes | None = None,
        font_properties: FontProperties | Sequence[FontProperties] | None = None,
    ) -> None:
        """Draw texts.

        Args:
            texts: The texts.
            positions: The position of each, of shape (N, 2).
            font_sizes: Their sizes in points. None is :meth:`font_size`.
            colors: Their colours.
            vertical_alignments: Part of each that is at y.
            horizontal_alignments: Part of each that is at x.
            font_families: Their font families.
            bboxes: Settings of the box around each, of
                :class:`matplotlib.patches.FancyBboxPatch`. None for no box.
            font_properties: Their :class:`matplotlib.font_manager.FontProperties`, which take
                precedence over ``font_families``. Defaults to None.
        """
        n = len(texts)
        sizes = self.font_size() if font_sizes is None else font_sizes
        boxes = [bboxes] if bboxes is None or isinstance(bboxes, Mapping) else bboxes
        columns = (
            settings.numbers("font_sizes", sizes, n),
            settings.colors("colors", colors, n),
            settings.names("vertical_alignments", vertical_alignments, n, VERTICAL),
            settings.names("horizontal_alignments", horizontal_alignments, n, HORIZONTAL),
            settings.fonts(font_families, font_properties, n),
            settings.spread("bboxes", boxes, n),
        )
        artists = [
            self._make_text(text, x, y, *looks)
            for text, (x, y), *looks in zip(texts, positions, *columns, strict=True)
        ]
        for artist in artists:
            self._draw(artist)

    def font_size(self) -> float:
        """Return a readable font size in points for this image: at least 14 pixels."""
        return max(14.0, (self.width * self.height) ** 0.5 / 60) / self._point

    def masks(self, masks: np.ndarray, colors: Colors, alphas: Numbers) -> None:
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

    def _make_text(
        self, text: str, x: float, y: float, size: float, color: Color, va: str, ha: str,
        font: FontProperties, box: Arguments | None,
    ) -> Text:  # fmt: skip
        """Make a text and compute its layout, which finds invalid settings before drawing."""
        looks: Arguments = {
            "fontproperties": font, "fontsize": size, "color": color, "verticalalignment": va,
            "horizontalalignment": ha, "bbox": box, "parse_math": _is_math(text),
        }  # fmt: skip
        try:
            artist = Text(x, y, text, transform=self._to_pixels, **looks)
            artist.set_figure(self._figure)
            artist.get_window_extent(self._renderer)
        except (AttributeError, TypeError, ValueError) as error:
            raise ArgumentValueError(
                f"texts: cannot draw {text!r} with the box {box!r}: {error}"
            ) from error
        return artist

    def _draw(self, artist: Artist) -> None:
        artist.set_figure(self._figure)
        if isinstance(artist, Collection):
            # Two values, though equal: with one, matplotlib draws a single object as a marker, up
            # to half a pixel off its position among several objects.
            artist.set_antialiased([True, True])
        artist.draw(self._renderer)


def _is_math(text: str) -> bool:
    """Whether the dollars of a text enclose valid math; otherwise they are drawn as they are."""
    if "$" not in text:
        return True
    parser: Any = MathTextParser("agg")
    try:
        for line in text.splitlines():
            parser.parse(line)
    except ValueError:
        return False
    return True


def _resolve_outline(outline: Outline, count: int) -> Arguments:
    """Convert an outline to arguments of a collection of matplotlib."""
    opacity = settings.numbers("alpha", outline.alpha, count, most=1)
    faces = "none" if outline.face_colors is None else outline.face_colors
    return {
        "edgecolors": settings.colors("edge_colors", outline.edge_colors, count, opacity),
        "facecolors": settings.colors("face_colors", faces, count, opacity),
        "linestyles": settings.styles("line_styles", outline.line_styles, count),
        "linewidths": settings.numbers("line_widths", outline.line_widths, count),
    }
