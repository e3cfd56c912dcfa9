"""Base class of metrics that are computed from a confusion matrix."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from eng.logging import print_log
from eng.utils import ArgumentValueError, DataBatch, DataSample, override

from .class_labels import align_scores, check_labels, drop_ignored, squeeze, to_labels
from .pairs import LABELS, TARGETS, PairReader
from .running_metric import RunningMetric
from .types import Metrics, Result, Total

__all__ = ["MatrixMetric"]

#: Largest number of classes without ``num_classes``, so that a stray label is not taken for one.
_MAX_CLASSES = 10_000


class MatrixMetric(RunningMetric):
    """A metric computed from how often each class is predicted for each class.

    Args:
        num_classes: Number of classes. Defaults to None: those that the dataset names or that
            occur.
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, see the README.
        target: Field of targets. Defaults to None: the usual names.
        threshold: Score above which a prediction of a single score is class 1. Defaults to None.
        ignore_index: Label of targets that do not count. Defaults to None.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Attributes:
        matrix: Counts of the last evaluation, in the main process; None before.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        pred: str | None = None,
        target: str | None = None,
        threshold: float | None = None,
        ignore_index: int | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        if num_classes is not None and num_classes < 1:
            raise ArgumentValueError(f"num_classes must be at least 1, got {num_classes}")
        self.num_classes = num_classes
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.matrix: np.ndarray | None = None
        self._reader = PairReader(
            type(self).__name__,
            (pred,) if pred else LABELS,
            (target,) if target else TARGETS,
        )

    @abstractmethod
    def compute_from_matrix(self, matrix: np.ndarray) -> Metrics:
        """Compute the metrics.

        Args:
            matrix: Number of elements of class i that are predicted as class j, of shape (classes,
                classes), int64.

        Returns:
            Metric values by name.
        """

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of classes by label, ``classes`` of the metainfo of the dataset."""
        names = (self.dataset_meta or {}).get("classes")
        return tuple(map(str, names)) if isinstance(names, (list, tuple)) and names else None

    def name_of(self, label: int) -> str:
        """Return the name of a class, its label if the dataset does not name it."""
        names = self.classes or ()
        return names[label] if label < len(names) else str(label)

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        owner = type(self).__name__
        for pred, target in self._reader.read(data_batch, data_samples):
            labels, truth = to_labels(owner, pred, target, self.threshold)
            labels, truth = drop_ignored(labels, truth, self.ignore_index)
            size = self._find_size(pred, target, labels, truth)
            check_labels(owner, truth, size, "target")
            check_labels(owner, labels, size, "predicted")
            counts = torch.bincount(truth * size + labels, minlength=size * size)
            old = self.sums["matrix"]
            self.sums["matrix"] = _add(old, counts.reshape(size, size))

    @override
    def compute_metrics(self, results: list[Result]) -> Metrics:
        matrices = [sums.pop("matrix") for sums in results if "matrix" in sums]
        total: Total = 0
        for matrix in matrices:
            total = _add(total, matrix)
        return super().compute_metrics([*results, {"matrix": total}])

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        self.matrix = np.asarray(sums["matrix"].cpu().numpy(), np.int64)
        if not self.matrix.any():
            print_log(
                f"{type(self).__name__}: every target is ignored or empty; values are NaN",
                logger="current",
                level=logging.WARNING,
            )
        return self.compute_from_matrix(self.matrix)

    def _find_size(self, pred: Tensor, target: Tensor, labels: Tensor, truth: Tensor) -> int:
        if self.num_classes is not None:
            return self.num_classes
        if not labels.numel():
            return max(1, len(self.classes or ()))
        first, second = squeeze(pred), squeeze(target)
        scored = first.shape != second.shape
        width = align_scores(type(self).__name__, first, second).shape[1] if scored else 1
        largest = 1 + max(int(labels.max()), int(truth.max()))
        if largest > max(_MAX_CLASSES, width, len(self.classes or ())):
            raise ArgumentValueError(
                f"{type(self).__name__} received the label {largest - 1}: set num_classes, or "
                "ignore_index if it marks elements to leave out"
            )
        return max(largest, width, len(self.classes or ()))


def _add(old: Total, new: Tensor) -> Tensor:
    """Add matrices, of which the smaller one is padded with zeros."""
    if not isinstance(old, Tensor):
        return new
    size = max(len(old), len(new))
    return _pad(old, size) + _pad(new, size)


def _pad(matrix: Tensor, size: int) -> Tensor:
    missing = size - len(matrix)
    return F.pad(matrix, (0, missing, 0, missing)) if missing else matrix
