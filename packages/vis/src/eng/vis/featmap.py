"""Render feature maps as images."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from eng.utils import ArgumentTypeError, ArgumentValueError

from . import settings
from .canvas import Canvas
from .geometry import as_image
from .types import Numbers

__all__ = ["blend", "color_map", "featmap_image"]

#: Minimum height and width of a map, in pixels, to be labelled with its channel.
LABELLED = (32, 88)


def featmap_image(
    featmap: Tensor,
    overlaid_image: np.ndarray | None,
    channel_reduction: str | None,
    topk: int,
    arrangement: tuple[int, int],
    resize_shape: tuple[int, int] | None,
    alpha: Numbers,
) -> np.ndarray:
    """Render a feature map as an image, see :meth:`eng.vis.Visualizer.draw_featmap`.

    Args:
        featmap: As there.
        overlaid_image: As there.
        channel_reduction: As there.
        topk: As there.
        arrangement: As there.
        resize_shape: As there.
        alpha: As there.

    Returns:
        RGB of shape (height, width, 3), uint8.

    Raises:
        TypeError: If an argument has another type.
        ValueError: If an argument is out of range.
    """
    maps = _check_featmap(featmap)
    if not isinstance(topk, int):
        raise ArgumentTypeError(f"topk must be an int, not {topk!r}")
    image = None if overlaid_image is None else as_image("overlaid_image", overlaid_image)
    height, width = maps.shape[1:] if image is None else image.shape[:2]
    size = (height, width)
    if resize_shape is not None:
        size = _check_pair("resize_shape", resize_shape)
        image = None if image is None else _resize_image(image, size)
    if channel_reduction is None and topk > 0:
        return _draw_grid(maps, image, topk, _check_pair("arrangement", arrangement), size, alpha)
    (opacity,) = settings.numbers("alpha", alpha, 1, most=1)
    reduced = _resize_maps(_reduce_channels(maps, channel_reduction), size)
    return blend(color_map(reduced), image, opacity)


def _check_featmap(featmap: object) -> Tensor:
    if not isinstance(featmap, Tensor | np.ndarray):
        raise ArgumentTypeError(f"featmap must be a tensor, not {type(featmap).__name__}")
    maps = torch.as_tensor(featmap).detach().float().cpu()
    if maps.ndim != 3 or 0 in maps.shape:
        raise ArgumentValueError(
            f"featmap must have the shape (C, H, W), not {tuple(maps.shape)}; draw the maps of a"
            " batch one at a time, such as featmap[0]"
        )
    if not maps.isfinite().all():
        raise ArgumentValueError("featmap has values that are not finite (NaN or infinity)")
    return maps


def _reduce_channels(maps: Tensor, channel_reduction: str | None) -> Tensor:
    if channel_reduction == "squeeze_mean":
        return maps.mean(dim=0, keepdim=True)
    if channel_reduction == "select_max":
        return maps[maps.sum(dim=(1, 2)).argmax()][None]
    if channel_reduction is not None:
        raise ArgumentValueError(
            "channel_reduction must be 'squeeze_mean', 'select_max' or None, not"
            f" {channel_reduction!r}"
        )
    if len(maps) not in (1, 3):
        raise ArgumentValueError(
            f"featmap must have 1 or 3 channels, not {len(maps)}, if channel_reduction is None"
            " and topk <= 0"
        )
    return maps


def _draw_grid(
    maps: Tensor,
    image: np.ndarray | None,
    topk: int,
    arrangement: tuple[int, int],
    size: tuple[int, int],
    alpha: Numbers,
) -> np.ndarray:
    """Draw the channels of the largest sums, the largest first, row by row, on white."""
    (rows, columns), (height, width) = arrangement, size
    count = min(topk, len(maps))
    if rows * columns < count:
        raise ArgumentValueError(
            f"arrangement {arrangement} has {rows * columns} cells for {count} channels"
        )
    channels = maps.sum(dim=(1, 2)).topk(count).indices.tolist()
    grid = np.full((rows * height, columns * width, 3), 255, np.uint8)
    corners = []
    for i, opacity in enumerate(settings.numbers("alpha", alpha, count, most=1)):
        top, left = i // columns * height, i % columns * width
        picture = color_map(_resize_maps(maps[channels[i]][None], size))
        grid[top : top + height, left : left + width] = blend(picture, image, opacity)
        corners.append((left + 4, top + 4))
    if height < LABELLED[0] or width < LABELLED[1]:
        return grid
    canvas = Canvas(grid, {})
    box = {"facecolor": "black", "edgecolor": "none", "alpha": 0.5, "pad": 2}
    words = [f"channel {channel}" for channel in channels]
    canvas.texts(words, np.array(corners), font_sizes=12, colors="w", bboxes=box)
    return canvas.image()


def _resize_maps(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(maps.shape[1:]) == size:
        return maps
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]


def _resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == size:
        return image
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    pixels = F.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return pixels[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def color_map(maps: Tensor) -> np.ndarray:
    """Colour one channel, or take three as RGB, scaled from 0 at the minimum to the maximum.

    Args:
        maps: The map, of shape (1, height, width) or (3, height, width).

    Returns:
        RGB of shape (height, width, 3), uint8.
    """
    low, high = maps.min(), maps.max()
    scaled = ((maps - low) / (high - low) if high > low else torch.zeros_like(maps)).numpy()
    if len(scaled) == 1:
        return matplotlib.colormaps["jet"](scaled[0], bytes=True)[..., :3]
    return np.rint(scaled.transpose(1, 2, 0) * 255).astype(np.uint8)


def blend(picture: np.ndarray, image: np.ndarray | None, alpha: float) -> np.ndarray:
    """Blend a picture with an image of the same shape.

    Args:
        picture: RGB of shape (height, width, 3), uint8.
        image: The image, likewise. None for the picture alone.
        alpha: Weight of the picture, of 0 to 1.

    Returns:
        RGB of shape (height, width, 3), uint8.
    """
    if image is None:
        return np.ascontiguousarray(picture)
    return np.rint(image * (1 - alpha) + picture * alpha).astype(np.uint8)


def _check_pair(argument: str, given: object) -> tuple[int, int]:
    pair = tuple(int(v) for v in given) if isinstance(given, Sequence) else ()
    if not isinstance(given, Sequence) or len(pair) != 2 or min(pair) < 1 or pair != tuple(given):
        raise ArgumentValueError(f"{argument} must be two integers of at least 1, not {given!r}")
    return pair[0], pair[1]
