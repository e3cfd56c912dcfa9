"""Convert images, points, boxes, polygons and masks to checked arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = [
    "as_array",
    "as_boxes",
    "as_image",
    "as_masks",
    "as_points",
    "as_polygons",
    "as_radii",
    "as_segments",
    "warn_outside",
]


def as_array(argument: str, given: object) -> np.ndarray:
    """Convert a tensor of any device, an array or numbers to an array.

    Args:
        argument: Name of the argument, for errors.
        given: The numbers.

    Returns:
        The array. Floating tensors become float64.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If it is ragged.
    """
    if hasattr(given, "detach"):  # a torch.Tensor, without importing torch
        tensor = given.detach().cpu()
        given = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise ArgumentValueError(f"{argument} must have rows of one length: {error}") from None
    if array.dtype.kind not in "buif":
        raise ArgumentTypeError(
            f"{argument} must be numbers, as a tensor, an array or a list, not"
            f" {type(given).__name__}: {given!r}"
        )
    return array


def as_image(argument: str, given: object, strict: bool = False) -> np.ndarray:
    """Copy an image as RGB.

    Args:
        argument: Name of the argument, for errors.
        given: Numbers of 0 to 255 of shape (height, width, 3), (height, width, 4), whose opacity is
            ignored, or grey ones of shape (height, width) or (height, width, 1). Floats are
            rounded.
        strict: Whether to refuse floats and RGBA. Defaults to False.

    Returns:
        The image of shape (height, width, 3), uint8.

    Raises:
        TypeError: If it is not numeric, or not of integers with ``strict``.
        ValueError: If its shape is invalid or empty, or a value is outside of 0 to 255.
    """
    array = image = as_array(argument, given)
    if image.ndim == 2:
        image = image[..., None]
    if (
        image.ndim != 3
        or image.shape[2] not in ((1, 3) if strict else (1, 3, 4))
        or image.size == 0
    ):
        raise ArgumentValueError(
            f"{argument} must have the shape (height, width, 3) or (height, width), with at least"
            f" one pixel, not {np.shape(array)}"
        )
    image = image[..., :3]
    if image.dtype.kind not in ("ui" if strict else "uif"):
        raise ArgumentTypeError(
            f"{argument} must have integers of 0 to 255, not {image.dtype}; convert floats of 0"
            " to 1 with (image * 255).round().astype(np.uint8)"
        )
    low, high = np.rint(image.min()), np.rint(image.max())
    if image.dtype != np.uint8 and not (low >= 0 and high <= 255):
        raise ArgumentValueError(
            f"{argument} must have values of 0 to 255, not {image.min()} to {image.max()}"
        )
    if image.dtype.kind == "f":
        if 0 < image.max() <= 1:
            warnings.warn(
                f"{argument} has floats of 0 to 1, which are nearly black in the range of 0 to 255:"
                " pass (image * 255).round().astype(np.uint8)",
                stacklevel=3,
            )
        image = np.rint(image)
    return np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.uint8, order="C")


def as_points(argument: str, given: object) -> np.ndarray:
    """Convert points of shape (2,) or (N, 2) to an array of shape (N, 2).

    Args:
        argument: Name of the argument, for errors.
        given: The points, each x and y.

    Returns:
        The points, float64.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If its shape is invalid, or a number is not finite.
    """
    return _check_rows(argument, given, 2)


def as_boxes(argument: str, given: object) -> np.ndarray:
    """Convert boxes of shape (4,) or (N, 4) to an array of shape (N, 4).

    Args:
        argument: Name of the argument, for errors.
        given: The boxes, each x1, y1, x2 and y2.

    Returns:
        The boxes, float64.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If its shape is invalid, a number is not finite, or x1 > x2 or y1 > y2.
    """
    boxes = _check_rows(argument, given, 4)
    turned = np.flatnonzero((boxes[:, :2] > boxes[:, 2:]).any(axis=1))
    if turned.size:
        raise ArgumentValueError(
            f"{argument} must have x1 <= x2 and y1 <= y2; {argument}[{turned[0]}] is"
            f" {boxes[turned[0]].tolist()} (x1, y1, x2, y2)"
        )
    return boxes


def as_radii(argument: str, given: object, count: int) -> np.ndarray:
    """Check radii of circles: one for all, or one for each.

    Args:
        argument: Name of the argument, for errors.
        given: The radii.
        count: Number of circles.

    Returns:
        As many radii as circles, float64.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If their number is not 1 or ``count``, or one is negative or not finite.
    """
    radii = as_array(argument, given).reshape(-1)
    radii = radii[: max(count, 1)]
    if len(radii) not in (1, count):
        raise ArgumentValueError(f"{argument} has {len(radii)} values for {count} circles")
    if (radii < 0).any():
        raise ArgumentValueError(f"{argument} must not be negative: {radii.tolist()}")
    return np.broadcast_to(_check_finite(argument, radii), count)


def as_segments(x_datas: object, y_datas: object) -> np.ndarray:
    """Combine the coordinates of ends to line segments.

    Args:
        x_datas: x of start and end, of shape (2,) or (N, 2).
        y_datas: y of start and end, of the same shape.

    Returns:
        The ends, of shape (N, 2, 2): segment, end, x and y; float64.

    Raises:
        TypeError: If they are not numeric.
        ValueError: If a shape is invalid, their lengths differ, or a number is not finite.
    """
    x, y = _check_rows("x_datas", x_datas, 2), _check_rows("y_datas", y_datas, 2)
    if len(x) != len(y):
        raise ArgumentValueError(f"x_datas has {len(x)} lines but y_datas has {len(y)}")
    return np.stack([x, y], axis=2)


def as_polygons(argument: str, given: object) -> list[np.ndarray]:
    """Convert polygons to a list of arrays, each of shape (number of corners, 2).

    Args:
        argument: Name of the argument, for errors.
        given: One polygon as (x1, y1, …, xn, yn) or of shape (n, 2), or a list or array of them.

    Returns:
        The polygons, float64.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If a shape is invalid, a polygon is empty, or a number is not finite.
    """
    if isinstance(given, Sequence) and not all(np.isscalar(item) for item in given):
        return [_check_polygon(f"{argument}[{i}]", item) for i, item in enumerate(given)]
    array = as_array(argument, given)
    if array.size == 0:
        return []
    if array.ndim == 3 or (array.ndim == 2 and array.shape[1] != 2):
        return [_check_polygon(f"{argument}[{i}]", item) for i, item in enumerate(array)]
    return [_check_polygon(argument, array)]


def as_masks(argument: str, given: object, height: int, width: int) -> np.ndarray:
    """Convert masks of shape (H, W) or (N, H, W) to booleans of shape (N, H, W).

    Args:
        argument: Name of the argument, for errors.
        given: The masks: booleans, or 0 and 1.
        height: Required height.
        width: Required width.

    Returns:
        The masks.

    Raises:
        TypeError: If it is not numeric.
        ValueError: If its shape is invalid, or a number is neither 0 nor 1.
    """
    array = masks = as_array(argument, given)
    if masks.ndim == 2:
        masks = masks[None]
    if masks.ndim != 3 or masks.shape[1:] != (height, width):
        raise ArgumentValueError(
            f"{argument} must have the shape (N, {height}, {width}) or ({height}, {width}), like"
            f" the image, not {np.shape(array)}"
        )
    if masks.dtype == np.bool_:
        return masks
    ones = masks == 1
    other = masks[~(ones | (masks == 0))]
    if other.size:
        raise ArgumentValueError(f"{argument} must have only 0 and 1, or booleans, not {other[0]}")
    return ones


def warn_outside(what: str, low: np.ndarray, high: np.ndarray, width: int, height: int) -> None:
    """Warn about objects that are out of bounds of an image.

    Args:
        what: Name of the objects.
        low: Smallest x and y of each, of shape (N, 2).
        high: Greatest x and y of each, of shape (N, 2).
        width: Width of the image.
        height: Height of the image.
    """
    outside = np.flatnonzero(((low < 0) | (high > (width, height))).any(axis=1))
    if outside.size:
        warnings.warn(
            f"{outside.size} of {len(low)} {what} are out of bounds, outside of the image of"
            f" {width} x {height} pixels (width x height), the first at index {outside[0]}: parts"
            " outside are not drawn",
            stacklevel=3,
        )


def _check_rows(argument: str, given: object, columns: int) -> np.ndarray:
    array = as_array(argument, given)
    rows = np.atleast_2d(array) if array.size else np.empty((0, columns))
    if rows.ndim != 2 or rows.shape[1] != columns or (array.ndim > 1 and array.shape[1] != columns):
        raise ArgumentValueError(
            f"{argument} must have the shape ({columns},) or (N, {columns}), not {array.shape}"
        )
    return _check_finite(argument, rows)


def _check_polygon(argument: str, given: object) -> np.ndarray:
    array = corners = as_array(argument, given)
    if corners.ndim == 1 and corners.size % 2 == 0:
        corners = corners.reshape(-1, 2)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 1:
        raise ArgumentValueError(
            f"{argument} must be (x1, y1, ..., xn, yn) or have the shape (n, 2), with at least one"
            f" corner, not the shape {np.shape(array)}"
        )
    return _check_finite(argument, corners)


def _check_finite(argument: str, array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ArgumentValueError(f"{argument} has values that are not finite (NaN or infinity)")
    return array.astype(np.float64)
