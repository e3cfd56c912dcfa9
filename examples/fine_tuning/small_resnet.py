"""A small residual network, and half of the classes of handwritten digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from eng.model import BaseModel, BaseModule
from eng.registry import DATASETS, MODELS
from eng.structures import BaseDataElement

VAL_SHARE = 4  # every fourth image


class Block(nn.Module):
    """Two convolutions beside a short cut, as in torchvision's ``BasicBlock``."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the features of images."""
        out = F.relu(self.bn1(self.conv1(inputs)))
        return F.relu(self.bn2(self.conv2(out)) + self.downsample(inputs))


@MODELS.register_module()
class SmallResNet(BaseModule):
    """Features of grey images.

    Args:
        width: Channels of the first layer; the last one has four times as many.
        init_cfg: See :class:`eng.model.BaseModule`. Defaults to None.
    """

    def __init__(self, width: int = 16, init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        self.conv1 = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = Block(width, width, stride=1)
        self.layer2 = Block(width, 2 * width, stride=2)
        self.layer3 = Block(2 * width, 4 * width, stride=2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of shape (N, 4 * width)."""
        out = F.relu(self.bn1(self.conv1(inputs)))
        features: Tensor = self.layer3(self.layer2(self.layer1(out)))
        return features.mean(dim=(2, 3))


@MODELS.register_module()
class ImageClassifier(BaseModel):
    """A backbone and a linear head.

    Args:
        backbone: Config of the backbone.
        features: Number of its features.
        num_classes: Number of classes.
    """

    def __init__(self, backbone: dict[str, Any], features: int, num_classes: int) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.head = nn.Linear(features, num_classes)

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> Any:
        """Classify images of shape (N, 1, 8, 8), whose labels are the data samples."""
        logits = self.head(self.backbone(inputs))
        if mode == "tensor" or data_samples is None:
            return logits
        if mode == "loss":
            return {"loss": F.cross_entropy(logits, data_samples)}
        pairs = zip(logits.argmax(dim=1), data_samples, strict=True)
        return [BaseDataElement(pred_label=pred, gt_label=label) for pred, label in pairs]


@DATASETS.register_module()
class SomeDigits(Dataset[dict[str, Any]]):
    """The images of some digits; their labels count from 0.

    Args:
        digits: The digits.
        split: ``'train'`` or ``'val'``.
        shots: Images of each digit. Defaults to None: all.
    """

    def __init__(self, digits: Sequence[int], split: str, shots: int | None = None) -> None:
        images, targets = map(torch.as_tensor, load_digits(return_X_y=True))
        is_val = torch.arange(len(targets)) % VAL_SHARE == 0
        part = is_val if split == "val" else ~is_val
        chosen = [(part & (targets == digit)).nonzero()[:shots, 0] for digit in digits]
        self.images = images[torch.cat(chosen)].float().reshape(-1, 1, 8, 8) / 16
        self.labels = [label for label, found in enumerate(chosen) for _ in found]
        self.metainfo = {"classes": [str(digit) for digit in digits]}

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.images[index], "data_samples": self.labels[index]}
