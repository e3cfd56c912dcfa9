"""Values and images in the form that every place of recording takes."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["plain_image", "plain_value"]


def plain_value(value: Any) -> Any:
    """A number, list or word for anything that holds one: tensors and arrays among them.

    A tensor on another device is moved from there once.

    Args:
        value: The value.

    Returns:
        What ``value`` holds, one element without its lists; ``value`` itself if it is no tensor or
        array.
    """
    if not hasattr(value, "tolist"):
        return value
    plain = value.tolist()
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    return plain


def plain_image(name: str, image: np.ndarray) -> np.ndarray:
    """An image as bytes.

    Args:
        name: Its name, for the error.
        image: RGB of shape (height, width, 3), or grey of shape (height, width), of whole numbers
            from 0 to 255.

    Returns:
        The image as uint8, of the same shape.

    Raises:
        ValueError: If it is of another shape, type or range.
    """
    array = np.asarray(image)
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)) or not array.size:
        raise ValueError(
            f"image {name!r} must have the shape (height, width, 3), or (height, width) where it "
            f"is grey, not {array.shape}"
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise ValueError(
            f"image {name!r} must be of whole numbers from 0 to 255, not {array.dtype} from "
            f"{array.min()} to {array.max()}"
        )
    return array.astype(np.uint8)
