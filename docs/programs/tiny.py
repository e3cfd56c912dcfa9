"""The job of these pages: 500 handwritten digits, a network of two layers and a metric."""

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


@DATASETS.register_module()
class Digits(Dataset[dict[str, Any]]):
    """Images of 8 by 8: the first 400 of 500 for training, the rest for validation."""

    def __init__(self, split: str = "train") -> None:
        images, labels = load_digits(return_X_y=True)
        part = slice(0, 400) if split == "train" else slice(400, 500)
        self.images = torch.tensor(images[part], dtype=torch.float32) / 16
        self.labels = labels[part].tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return dict(inputs=self.images[index], labels=self.labels[index])


@MODELS.register_module()
class Net(BaseModel):
    """Losses in training, the class of each image in validation."""

    def __init__(self, width: int = 32, num_classes: int = 10) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, width), nn.ReLU())
        self.head = nn.Linear(width, num_classes)

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = "tensor") -> Any:
        scores = self.head(self.backbone(inputs))
        if mode == "loss":
            return dict(loss=F.cross_entropy(scores, labels))
        return scores.argmax(dim=1) if mode == "predict" else scores


@METRICS.register_module(force=True)
class Accuracy(BaseMetric):
    """The share of images whose class is right."""

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[Tensor]) -> None:
        self.results += [
            int(p == t) for p, t in zip(data_samples, data_batch["labels"], strict=True)
        ]

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return dict(accuracy=sum(results) / len(results))
