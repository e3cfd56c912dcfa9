"""Handwritten digits: the model, the dataset and the metric of the example.

The data are the 1,797 images of 8 by 8 pixels that scikit-learn ships, from the UCI repository
("Optical Recognition of Handwritten Digits", Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS

SPLIT_SEED = 0
TRAIN_SHARE = 0.8


@DATASETS.register_module()
class DigitsDataset(Dataset[dict[str, Tensor]]):
    """The images of one part of an 80/20 split, the same at every start.

    Args:
        split: ``'train'`` or ``'val'``.
    """

    def __init__(self, split: str) -> None:
        if split not in ("train", "val"):
            raise ValueError(f"split must be 'train' or 'val', not {split!r}")
        images, labels = load_digits(return_X_y=True)
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
        border = round(TRAIN_SHARE * len(labels))
        chosen = order[:border] if split == "train" else order[border:]
        self.images = torch.as_tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8)[chosen] / 16
        self.labels = torch.as_tensor(labels)[chosen]
        self.metainfo = {"classes": tuple("0123456789")}

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.images[index], "data_samples": self.labels[index]}


@MODELS.register_module()
class DigitsNet(BaseModel):
    """Two convolutions and a linear layer.

    Args:
        channels: Channels of the first convolution; the second has twice as many.
        data_preprocessor: See :class:`eng.model.BaseModel`. Defaults to None.
    """

    def __init__(self, channels: int = 32, data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.head = nn.Linear(8 * channels, 10)

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> Any:
        """Classify images.

        Args:
            inputs: Images of shape (N, 1, 8, 8), in [0, 1].
            data_samples: Labels of shape (N,). Defaults to None: there are none.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            A dict with the loss; for each sample a dict with the prediction, its score and the
            label, if there are any; or the logits.
        """
        logits = self.head(self.features(inputs))
        if mode == "loss":
            if data_samples is None:
                raise ValueError("the loss needs labels: data_samples is None")
            return {"loss": F.cross_entropy(logits, data_samples)}
        if mode == "predict":
            scores, predictions = logits.softmax(dim=1).max(dim=1)
            columns = {"pred": predictions, "score": scores}
            if data_samples is not None:
                columns["label"] = data_samples
            rows = zip(*columns.values(), strict=True)
            return [dict(zip(columns, row, strict=True)) for row in rows]
        return logits


@METRICS.register_module()
class Accuracy(BaseMetric):
    """Share of images whose digit is recognised."""

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Note for each image whether it was recognised.

        Args:
            data_batch: The batch.
            data_samples: Dicts with ``pred`` and ``label``.
        """
        self.results.extend(bool(sample["pred"] == sample["label"]) for sample in data_samples)

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        """The share.

        Args:
            results: Whether each image was recognised.

        Returns:
            ``accuracy``, in [0, 1].
        """
        return {"accuracy": sum(results) / len(results)}
