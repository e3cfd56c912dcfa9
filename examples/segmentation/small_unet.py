"""A small U-Net, and a visualizer that draws what it finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from shapes import CLASSES
from torch import Tensor, nn
from torch.nn import functional as F

from eng.model import BaseModel
from eng.registry import MODELS, VISUALIZERS
from eng.structures import BaseDataElement
from eng.vis import Visualizer

COLORS = ("tab:orange", "tab:green", "tab:blue")  # of the classes after the background
ENLARGED = 6  # pixels of a picture for each of an image


def convolve(inputs: int, outputs: int) -> nn.Sequential:
    """A block of two convolutions."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


@MODELS.register_module()
class SmallUNet(BaseModel):
    """Three resolutions down and up again, with connections across.

    Args:
        width: Channels at the full resolution. Defaults to 16.
        data_preprocessor: See :class:`eng.model.BaseModel`. Defaults to None.
    """

    def __init__(self, width: int = 16, data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        widths = [width, 2 * width, 4 * width]
        self.down = nn.ModuleList(map(convolve, [3, *widths[:-1]], widths))
        self.up = nn.ModuleList(
            convolve(fine + coarse, fine)
            for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(width, len(CLASSES), 1)

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> Any:
        """Segment images.

        Args:
            inputs: Images of shape (N, 3, height, width).
            data_samples: Classes of shape (N, height, width). Defaults to None: there are none.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            The loss; data elements with the class of each pixel; or the logits.
        """
        features = []
        for place, block in enumerate(self.down):
            inputs = block(F.max_pool2d(inputs, 2) if place else inputs)
            features.append(inputs)
        out = features.pop()
        for block in self.up:
            out = block(torch.cat([features.pop(), F.interpolate(out, scale_factor=2)], dim=1))
        logits = self.head(out)
        if mode == "tensor" or data_samples is None:
            return logits
        if mode == "loss":
            return {"loss": F.cross_entropy(logits, data_samples)}
        pairs = zip(logits.argmax(dim=1), data_samples, strict=True)
        return [BaseDataElement(pred_sem_seg=pred, gt_sem_seg=mask) for pred, mask in pairs]


@VISUALIZERS.register_module()
class SegmentationVisualizer(Visualizer):
    """Draws the image, the classes of its pixels, and those that were predicted, side by side."""

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: Any = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        step: int = 0,
    ) -> None:
        """Draw a sample; the arguments are those of :meth:`eng.vis.Visualizer.add_datasample`."""
        large = image.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
        panels = [large]
        if draw_gt:
            panels.append(self._draw_classes(large, data_sample.gt_sem_seg, "annotated"))
        if draw_pred:
            panels.append(self._draw_classes(large, data_sample.pred_sem_seg, "predicted"))
        picture = np.concatenate(panels, axis=1)
        self.set_image(picture)
        if show:
            self.show(win_name=name, wait_time=wait_time)
        self.add_image(name, picture, step)

    def _draw_classes(self, image: np.ndarray, classes: Tensor, title: str) -> np.ndarray:
        large = classes.cpu().numpy().repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
        self.set_image(image // 2)
        for label, color in enumerate(COLORS, start=1):
            self.draw_binary_masks(large == label, colors=color, alphas=0.8)
        self.draw_texts(title, np.array([4, 2]), font_sizes=18, colors="w")
        picture: np.ndarray = self.get_image()
        return picture
