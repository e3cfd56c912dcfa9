"""Images of shapes, with the shape that each pixel is of."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import Dataset

from eng.registry import DATASETS

CLASSES = ("background", "circle", "square", "triangle")
SIZE = 32  # pixels of an image, in each direction


@DATASETS.register_module()
class ShapesDataset(Dataset[dict[str, Tensor]]):
    """Bright circles, squares and triangles on a dark and noisy ground, drawn when they are read.

    Args:
        length: Number of images.
        seed: The images of another seed are others. Defaults to 0.
    """

    def __init__(self, length: int, seed: int = 0) -> None:
        self.length = length
        self.seed = seed
        self.metainfo = {"classes": CLASSES}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Draw an image.

        Args:
            index: Its number; the image is the same each time.

        Returns:
            ``inputs``, an image of shape (3, 32, 32) in [0, 1], and ``data_samples``, the class of
            each pixel.
        """
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        image = 0.4 * torch.rand(3, 1, 1, generator=generator).expand(3, SIZE, SIZE)
        mask = torch.zeros(SIZE, SIZE, dtype=torch.long)
        for _ in range(int(torch.randint(1, 4, (), generator=generator))):
            label = int(torch.randint(1, len(CLASSES), (), generator=generator))
            inside = draw(CLASSES[label], generator)
            colour = 0.4 + 0.6 * torch.rand(3, 1, 1, generator=generator)
            image = torch.where(inside, colour, image)
            mask[inside] = label
        noise = 0.05 * torch.randn(image.shape, generator=generator)
        return {"inputs": (image + noise).clamp(0, 1), "data_samples": mask}


def draw(shape: str, generator: torch.Generator) -> Tensor:
    """Pixels of a shape at a random place.

    Args:
        shape: One of the classes.
        generator: The source of its place and size.

    Returns:
        A mask of shape (32, 32).
    """
    radius = 5 + 4 * torch.rand((), generator=generator)
    centre = radius + (SIZE - 2 * radius) * torch.rand(2, generator=generator)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    y, x = (y - centre[0]) / radius, (x - centre[1]) / radius
    if shape == "circle":
        return x**2 + y**2 <= 1
    if shape == "square":
        return torch.maximum(x.abs(), y.abs()) <= 0.85
    return (y <= 0.8) & (2 * x.abs() - 0.8 <= y)  # a triangle that stands on its base
