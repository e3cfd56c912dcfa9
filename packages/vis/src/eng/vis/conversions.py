"""Colours, arrays and pictures in the forms that drawing takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from eng.utils import ArgumentTypeError, ArgumentValueError

from .featmap import colored, mixed
from .geometry import as_array, as_image

__all__ = [
    "color_str2rgb",
    "color_val_matplotlib",
    "convert_overlay_heatmap",
    "img_from_canvas",
    "tensor2ndarray",
]


def tensor2ndarray(value: Any) -> Any:
    """Convert a tensor of any device to an array.

    Args:
        value: The tensor.

    Returns:
        The array; ``value`` itself if it is anything but a tensor.
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


def color_val_matplotlib(colors: Any) -> Any:
    """Convert colours to those of matplotlib.

    Args:
        colors: A name, which stays; three whole numbers of 0 to 255; or a list of such.

    Returns:
        A name, three numbers of 0 to 1, or a list of such.

    Raises:
        TypeError: If it is anything else.
        ValueError: If a number is not of 0 to 255, or there are not three (or four) of them.

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
            "colors must be a name, a tuple of whole numbers of 0 to 255, or a list of those, not "
            f"{type(colors).__name__}"
        )
    if len(colors) not in (3, 4) or not all(0 <= value <= 255 for value in colors):
        raise ArgumentValueError(f"a colour must be three numbers of 0 to 255, not {colors}")
    return tuple(value / 255 for value in colors)


def color_str2rgb(color: str) -> tuple[int, int, int]:
    """Convert the name of a colour to RGB.

    Args:
        color: A name that matplotlib has, or ``'#00ff00'``.

    Returns:
        Three whole numbers of 0 to 255.

    Raises:
        ValueError: If matplotlib has no such colour.

    Examples:
        >>> color_str2rgb('green')
        (0, 128, 0)
    """
    try:
        red, green, blue = to_rgb(color)
    except (TypeError, ValueError):
        raise ArgumentValueError(
            f"{color!r} is not a colour of matplotlib; give a name such as 'green', or '#00ff00'"
        ) from None
    return round(red * 255), round(green * 255), round(blue * 255)


def convert_overlay_heatmap(
    feat_map: np.ndarray | torch.Tensor, img: np.ndarray | None = None, alpha: float = 0.5
) -> np.ndarray:
    """Convert a feature map to a picture: blue where it is smallest, red where it is greatest.

    Args:
        feat_map: The map, of shape (height, width), or with one or three channels first or last:
            three are taken as RGB.
        img: An image that the map is mixed with, of the same height and width. Defaults to None.
        alpha: Weight of the map in the mix, of 0 to 1. Defaults to 0.5.

    Returns:
        RGB of shape (height, width, 3), uint8.

    Raises:
        TypeError: If the map holds anything but numbers.
        ValueError: If a shape is another, a number is not finite, or ``alpha`` is out of range.
    """
    maps = _channels_first(as_array("feat_map", feat_map))
    if not np.isfinite(maps).all():
        raise ArgumentValueError("feat_map has numbers that are not finite")
    if not 0 <= alpha <= 1:
        raise ArgumentValueError(f"alpha must be from 0 to 1, not {alpha}")
    image = None if img is None else as_image("img", img)
    if image is not None and image.shape[:2] != maps.shape[1:]:
        raise ArgumentValueError(
            f"img of shape {image.shape} must be as large as feat_map, {maps.shape[1:]}"
        )
    return mixed(colored(torch.from_numpy(maps.astype(np.float64))), image, alpha)


def _channels_first(maps: np.ndarray) -> np.ndarray:
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
