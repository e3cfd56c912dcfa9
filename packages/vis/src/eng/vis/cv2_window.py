"""Window of OpenCV that shows images and waits for a key."""

from __future__ import annotations

import math
from importlib import import_module
from types import ModuleType

import numpy as np

from eng.utils import ArgumentValueError

__all__ = ["Cv2Window", "check_wait_time"]


class Cv2Window:
    """A window of OpenCV. It opens with the first image and needs ``pip install opencv-python``."""

    def __init__(self) -> None:
        self._is_open = False

    def show(self, image: np.ndarray, title: str, wait_time: float) -> None:
        """Replace the image shown, and wait for a key.

        Args:
            image: RGB of shape (height, width, 3), uint8.
            title: Title of the window.
            wait_time: Timeout in seconds; 0 without limit.

        Raises:
            ModuleNotFoundError: If OpenCV is not installed.
        """
        cv2 = _import_cv2()
        if not self._is_open:
            cv2.namedWindow(self._name)
            self._is_open = True
        cv2.setWindowTitle(self._name, title)
        cv2.imshow(self._name, np.ascontiguousarray(image[..., ::-1]))  # OpenCV takes BGR
        cv2.waitKey(math.ceil(wait_time * 1000))

    def close(self) -> None:
        """Close the window if it is open."""
        if self._is_open:
            _import_cv2().destroyWindow(self._name)
        self._is_open = False

    @property
    def _name(self) -> str:
        """Name of the window in OpenCV, unique per visualizer."""
        return str(id(self))


def check_wait_time(seconds: float) -> None:
    """Check a timeout.

    Args:
        seconds: The timeout in seconds, 0 for no limit.

    Raises:
        ValueError: If it is negative or not finite.
    """
    if not 0 <= seconds < math.inf:
        raise ArgumentValueError(
            f"wait_time must be seconds, or 0 to wait without limit, not {seconds}"
        )


def _import_cv2() -> ModuleType:
    try:
        return import_module("cv2")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "backend='cv2' needs OpenCV: pip install opencv-python", name="cv2"
        ) from error
