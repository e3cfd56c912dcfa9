"""Confusion matrix with precision, recall and F1 by class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eng.logging import print_log
from eng.registry import METRICS
from eng.utils import ArgumentValueError, override

from .matrix_metric import MatrixMetric
from .table import format_table
from .types import Metrics

__all__ = ["ConfusionMatrix"]

_AVERAGES = ("macro", "micro", "weighted")


class ClassScores(NamedTuple):
    """Scores by class, NaN for classes that neither targets nor predictions have."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


@METRICS.register_module()
class ConfusionMatrix(MatrixMetric):
    """Precision, recall and F1 from the confusion matrix, which ``matrix`` keeps.

    Values are ``precision``, ``recall`` and ``f1``. A ratio with an empty denominator is 0, as in
    scikit-learn; classes that neither targets nor predictions have do not count.

    Args:
        num_classes: Number of classes. Defaults to None: those that the dataset names or that
            occur.
        average: ``'macro'``, the mean of classes, ``'weighted'``, weighted by their targets, or
            ``'micro'``, from the sums over classes. Defaults to ``'macro'``.
        by_class: Whether values of each class are returned as well, such as ``f1_cat``. Defaults
            to False.
        log_table: Whether each evaluation logs the table of :meth:`format`. Defaults to False.
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, see the README.
        target: Field of targets. Defaults to None: the usual names.
        threshold: Score above which a prediction of a single score is class 1. Defaults to None.
        ignore_index: Label of targets that do not count. Defaults to None.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Attributes:
        matrix: Number of elements of class i that were predicted as class j in the last
            evaluation, of shape (classes, classes), in the main process; None before.

    Examples:
        >>> metric = ConfusionMatrix(num_classes=2)
        >>> metric.process(None, [dict(pred=1, target=1), dict(pred=1, target=0)])
        >>> metric.evaluate(size=2)['recall'], metric.matrix.tolist()
        (0.5, [[0, 1], [0, 1]])
    """

    def __init__(
        self,
        num_classes: int | None = None,
        average: str = "macro",
        by_class: bool = False,
        log_table: bool = False,
        pred: str | None = None,
        target: str | None = None,
        threshold: float | None = None,
        ignore_index: int | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(num_classes, pred, target, threshold, ignore_index, prefix)
        if average not in _AVERAGES:
            raise ArgumentValueError(f"average must be one of {_AVERAGES}, not {average!r}")
        self.average = average
        self.by_class = by_class
        self.log_table = log_table
        if not by_class:
            self.number_names = ("precision", "recall", "f1")

    @override
    def compute_from_matrix(self, matrix: np.ndarray) -> Metrics:
        if self.log_table:
            print_log(f"{type(self).__name__} by class:\n{self.format()}", logger="current")
        scores = _score_classes(matrix)
        values = dict(
            zip(("precision", "recall", "f1"), _average(matrix, self.average), strict=True)
        )
        if self.by_class:
            for label in range(len(matrix)):
                for name in ("precision", "recall", "f1"):
                    values[f"{name}_{self.name_of(label)}"] = float(getattr(scores, name)[label])
        return values

    def format(self) -> str:
        """Format the scores by class of the last evaluation as a table.

        Returns:
            The table; classes that neither targets nor predictions have are left out.

        Raises:
            ValueError: If nothing was evaluated, or this is not the main process.
        """
        if self.matrix is None:
            raise ArgumentValueError(
                f"{type(self).__name__} has no matrix: evaluate it first, in the main process"
            )
        scores = _score_classes(self.matrix)
        rows: list[list[object]] = [
            [self.name_of(label), *(float(column[label]) for column in scores[:3]), int(support)]
            for label, support in enumerate(scores.support)
            if not np.isnan(scores.f1[label])
        ]
        total = _average(self.matrix, self.average)
        rows.append([f"({self.average})", *total, int(scores.support.sum())])
        return format_table(["class", "precision", "recall", "f1", "targets"], rows)


def _score_classes(matrix: np.ndarray) -> ClassScores:
    right = matrix.diagonal().astype(float)
    predicted, support = matrix.sum(0), matrix.sum(1)
    absent = predicted + support == 0
    precision, recall, f1 = (
        np.where(absent, np.nan, _divide(numerator, denominator))
        for numerator, denominator in (
            (right, predicted),
            (right, support),
            (2 * right, predicted + support),
        )
    )
    return ClassScores(precision, recall, f1, support)


def _average(matrix: np.ndarray, average: str) -> list[float]:
    """Average precision, recall and F1."""
    if not matrix.sum():
        return [float("nan")] * 3
    if average == "micro":
        return [float(matrix.trace() / matrix.sum())] * 3
    scores = _score_classes(matrix)
    if average == "macro":
        return [float(np.nanmean(each)) for each in scores[:3]]
    weights = scores.support / scores.support.sum()
    return [float(np.nansum(each * weights)) for each in scores[:3]]


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
