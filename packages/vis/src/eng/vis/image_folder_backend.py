"""Backend that writes images to a folder, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eng.registry import VISBACKENDS
from eng.utils import ArgumentValueError, override

from .backend import BaseVisBackend
from .geometry import as_image

__all__ = ["ImageFolderBackend"]


@VISBACKENDS.register_module()
class ImageFolderBackend(BaseVisBackend):
    """Writes images to a folder as PNG, and records nothing else.

    Args:
        save_dir: The folder. It is created with the first image.
    """

    @property
    @override
    def experiment(self) -> str:
        """Path of the folder."""
        return self._save_dir

    @override
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: object) -> None:
        """Write an image to the file ``<name>.png``.

        Args:
            name: Its name. Slashes in it separate directories.
            image: See :meth:`LocalVisBackend.add_image`.
            step: Ignored.
            **kwargs: Ignored.

        Raises:
            TypeError: If the values are not integers.
            ValueError: If the shape or a value is invalid, or the name is outside of the folder.
        """
        from PIL import Image

        pixels = as_image(f"image {name!r}", image, strict=True)
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ArgumentValueError(f"image {name!r} must have a name within {self._save_dir}")
        path = Path(self._save_dir, f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
