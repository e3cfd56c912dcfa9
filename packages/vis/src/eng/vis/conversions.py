"""Convert colours, tensors, feature maps and canvases."""

from __future__ import annotations

from typing import TypeVar, overload

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from eng.utils import ArgumentTypeError, ArgumentValueError

from .featmap import blend, color_map
from .geometry import as_array, as_image

__all__ = [
    "color_str2rgb",
    "color_val_matplotlib",
    "convert_overlay_heatmap",
    "img_from_canvas",
    "tensor2ndarray",
]


ValueT = TypeVar("ValueT")


@overload
def tensor2ndarray(value: torch.Tensor) -> np.ndarray: ...


@overload
def tensor2ndarray(value: ValueT) -> ValueT: ...


def tensor2ndarray(value: object) -> object:
    """Convert a tensor of any device to an array.

    Args:
        value: The tensor.

    Returns:
        The array; ``value`` itself if it is not a tensor.
    """
    if not isinstance(value, torch.Tensor):
        return value
    value = value.detach().cpu()
    return (value.float() if value.dtype is torch.bfloat16 else value).numpy()


def img_from_canvas(canvas: FigureCanvasAgg) -> np.ndarray:
    """Render a canvas of matplotlib.

    Args:
        canvas: The canvas.

    Returns:
        RGB of shape (height, width, 3), uint8.
    """
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


@overload
def color_val_matplotlib(colors: str) -> str: ...


@overload
def color_val_matplotlib(colors: tuple[int, ...]) -> tuple[float, ...]: ...


@overload
def color_val_matplotlib(colors: list[ValueT]) -> list[ValueT | tuple[float, ...]]: ...


def color_val_matplotlib(colors: object) -> object:
    """Convert colours to those of matplotlib.

    Args:
        colors: A name, which is returned unchanged; three integers of 0 to 255; or a list of such.

    Returns:
        A name, three floats of 0 to 1, or a list of such.

    Raises:
        TypeError: If it has another type.
        ValueError: If a number is outside of 0 to 255, or there are not three or four of them.

    Examples:
        >>> color_val_matplotlib((255, 0, 51))
        (1.0, 0.0, 0.2)
        >>> color_val_matplotlib(['g', (0, 0, 0)])
        ['g', (0.0, 0.0, 0.0)]
    """
    if isinstance(colors, str):
        return colors
    if isinstance(colors, list):
        return [color_val_matplotlib(color) for color in colors]
    if not isinstance(colors, tuple):
        raise ArgumentTypeError(
            "colors must be a name, a tuple of integers of 0 to 255, or a list of those, not "
            f"{type(colors).__name__}"
        )
    if len(colors) not in (3, 4) or not all(0 <= value <= 255 for value in colors):
        raise ArgumentValueError(f"colors must be three numbers of 0 to 255, not {colors}")
    return tuple(value / 255 for value in colors)


def color_str2rgb(color: str) -> tuple[int, int, int]:
    """Convert the name of a colour to RGB.

    Args:
        color: A name of matplotlib, or ``'#00ff00'``.

    Returns:
        Three integers of 0 to 255.

    Raises:
        ValueError: If matplotlib does not know the colour.

    Examples:
        >>> color_str2rgb('green')
        (0, 128, 0)
    """
    try:
        red, green, blue = to_rgb(color)
    except (TypeError, ValueError):
        raise ArgumentValueError(
            f"{color!r} is not a colour of matplotlib; pass a name such as 'green', or '#00ff00'"
        ) from None
    return round(red * 255), round(green * 255), round(blue * 255)


def convert_overlay_heatmap(
    feat_map: np.ndarray | torch.Tensor, img: np.ndarray | None = None, alpha: float = 0.5
) -> np.ndarray:
    """Render a feature map as an image: blue at its minimum, red at its maximum.

    Args:
        feat_map: The map, of shape (height, width), or with one or three channels first or last:
            three are RGB.
        img: An image to blend the map with, of the same height and width. Defaults to None.
        alpha: Weight of the map, of 0 to 1. Defaults to 0.5.

    Returns:
        RGB of shape (height, width, 3), uint8.

    Raises:
        TypeError: If the map is not numeric.
        ValueError: If a shape is invalid, a number is not finite, or ``alpha`` is out of range.
    """
    maps = _move_channels_first(as_array("feat_map", feat_map))
    if not np.isfinite(maps).all():
        raise ArgumentValueError("feat_map has values that are not finite (NaN or infinity)")
    if not 0 <= alpha <= 1:
        raise ArgumentValueError(f"alpha must be from 0 to 1, not {alpha}")
    image = None if img is None else as_image("img", img)
    if image is not None and image.shape[:2] != maps.shape[1:]:
        raise ArgumentValueError(
            f"img and feat_map must have the same size, not {image.shape[:2]} and {maps.shape[1:]}"
        )
    return blend(color_map(torch.from_numpy(maps.astype(np.float64))), image, alpha)


def _move_channels_first(maps: np.ndarray) -> np.ndarray:
    if maps.ndim == 2:
        return maps[None]
    if maps.ndim == 3 and maps.size:
        if maps.shape[0] in (1, 3):
            return maps
        if maps.shape[2] in (1, 3):
            return maps.transpose(2, 0, 1)
    raise ArgumentValueError(
        "feat_map must have the shape (height, width), or one or three channels, not the shape "
        f"{maps.shape}"
    )
