"""Top-k accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from eng.registry import METRICS
from eng.utils import ArgumentValueError, DataBatch, DataSample, override

from .class_labels import align_scores, check_labels, drop_ignored, squeeze, to_labels
from .pairs import LABELS, SCORES, TARGETS, PairReader
from .ratio import divide
from .running_metric import RunningMetric
from .types import Metrics, Total

__all__ = ["Accuracy"]


@METRICS.register_module()
class Accuracy(RunningMetric):
    """Share of targets that are predicted, or are among the k highest scores.

    Values are ``accuracy`` for k = 1 and ``accuracy_top5`` for k = 5. Of equal scores, the class
    with the lower label comes first, as in ``argmax``. Scores with a NaN are wrong.

    Args:
        topk: The numbers of highest scores. Above 1, predictions must be scores of all classes.
            Defaults to 1.
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, see the README.
        target: Field of targets. Defaults to None: the usual names.
        threshold: Score above which a prediction of a single score is class 1. Defaults to None.
        ignore_index: Label of targets that do not count. Defaults to None.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Raises:
        ValueError: If a number in ``topk`` is below 1.

    Examples:
        >>> metric = Accuracy(topk=(1, 2))
        >>> metric.process(None, [([0.1, 0.7, 0.2], 2), ([0.8, 0.1, 0.1], 0)])
        >>> metric.evaluate(size=2)
        {'accuracy': 0.5, 'accuracy_top2': 1.0}
    """

    def __init__(
        self,
        topk: int | Sequence[int] = 1,
        pred: str | None = None,
        target: str | None = None,
        threshold: float | None = None,
        ignore_index: int | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if not self.topk or min(self.topk) < 1:
            raise ArgumentValueError(f"topk must be one or more numbers from 1, got {topk!r}")
        if threshold is not None and max(self.topk) > 1:
            raise ArgumentValueError(f"threshold is for topk=1 only, not for {topk!r}")
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.number_names = [_name(k) for k in self.topk]
        usual, inner = (LABELS, ("data", "label", "score"))
        if max(self.topk) > 1:
            usual, inner = (SCORES, ("score", "data", "label"))
        self._reader = PairReader(
            type(self).__name__,
            (pred,) if pred else usual,
            (target,) if target else TARGETS,
            inner,
        )

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        for pred, target in self._reader.read(data_batch, data_samples):
            if max(self.topk) == 1:
                self._add_labels(pred, target)
            else:
                self._add_scores(pred, target)

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        return {_name(k): divide(type(self).__name__, sums, f"top{k}", "all") for k in self.topk}

    def _add_labels(self, pred: Tensor, target: Tensor) -> None:
        owner = type(self).__name__
        invalid = None
        if pred.is_floating_point() and squeeze(pred).shape != squeeze(target).shape:
            scores = align_scores(owner, squeeze(pred), squeeze(target))
            invalid = scores.isnan().any(1).reshape(-1)
        labels, truth = to_labels(owner, pred, target, self.threshold)
        if invalid is not None:
            labels = labels.masked_fill(invalid, -1)
        labels, truth = drop_ignored(labels, truth, self.ignore_index)
        self.sums["top1"] += (labels == truth).sum()
        self.sums["all"] += truth.numel()

    def _add_scores(self, pred: Tensor, target: Tensor) -> None:
        owner = type(self).__name__
        pred, target = squeeze(pred), squeeze(target)
        scores = align_scores(owner, pred, target).movedim(1, -1)
        classes = scores.shape[-1]
        if max(self.topk) > classes:
            raise ArgumentValueError(
                f"{owner} with topk={self.topk} needs scores of at least {max(self.topk)} classes, "
                f"got {classes}"
            )
        flat, truth = scores.reshape(-1, classes), target.reshape(-1).long()
        flat, truth = drop_ignored(flat, truth, self.ignore_index)
        check_labels(owner, truth, classes, "target")
        own = flat.gather(1, truth[:, None])
        lower = torch.arange(classes, device=flat.device) < truth[:, None]
        ahead = ((flat > own) | ((flat == own) & lower)).sum(1)
        valid = ~flat.isnan().any(1)
        for k in self.topk:
            self.sums[f"top{k}"] += ((ahead < k) & valid).sum()
        self.sums["all"] += truth.numel()


def _name(k: int) -> str:
    return "accuracy" if k == 1 else f"accuracy_top{k}"
