"""Mean intersection over union of segmentations."""

from __future__ import annotations

import numpy as np

from eng.registry import METRICS
from eng.utils import override

from .matrix_metric import MatrixMetric
from .types import Metrics

__all__ = ["MeanIoU"]


@METRICS.register_module()
class MeanIoU(MatrixMetric):
    """Mean intersection over union of classes, from counts of elements.

    Values are ``mIoU``; ``mAcc``, the mean share of the elements of a class that are right; and
    ``aAcc``, that of all elements. Classes that neither targets nor predictions have do not count.
    The order of the family's ``(1, height, width)`` maps, arrays and label maps of different sizes
    are accepted.

    Args:
        num_classes: Number of classes. Defaults to None: those that the dataset names or that
            occur.
        ignore_index: Label of target elements that do not count. Defaults to 255.
        by_class: Whether the value of each class is returned as well, such as ``IoU_cat``.
            Defaults to False.
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, such as ``pred_sem_seg``.
        target: Field of targets. Defaults to None: the usual names, such as ``gt_sem_seg``.
        threshold: Score above which a prediction of a single score is class 1. Defaults to None.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Attributes:
        matrix: Number of elements of class i that were predicted as class j in the last
            evaluation, of shape (classes, classes), in the main process; None before.

    Examples:
        >>> metric = MeanIoU(num_classes=2)
        >>> metric.process(None, [([[0, 1], [1, 1]], [[0, 0], [1, 255]])])
        >>> metric.evaluate(size=1)
        {'mIoU': 0.5, 'mAcc': 0.75, 'aAcc': 0.6666666666666666}
    """

    def __init__(
        self,
        num_classes: int | None = None,
        ignore_index: int | None = 255,
        by_class: bool = False,
        pred: str | None = None,
        target: str | None = None,
        threshold: float | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(num_classes, pred, target, threshold, ignore_index, prefix)
        self.by_class = by_class
        if not by_class:
            self.number_names = ("mIoU", "mAcc", "aAcc")

    @override
    def compute_from_matrix(self, matrix: np.ndarray) -> Metrics:
        right = matrix.diagonal().astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            unions = right / (matrix.sum(0) + matrix.sum(1) - right)
            recalls = right / matrix.sum(1)
            values = {
                "mIoU": _average(unions),
                "mAcc": _average(recalls),
                "aAcc": float(right.sum() / matrix.sum()),
            }
        if self.by_class:
            values |= {f"IoU_{self.name_of(i)}": float(each) for i, each in enumerate(unions)}
        return values


def _average(values: np.ndarray) -> float:
    """Average the classes that occur; NaN if none does."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")
