"""Perplexity of language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional as F

from eng.registry import METRICS
from eng.utils import DataBatch, DataSample, override

from .class_labels import align_scores, check_labels, drop_ignored
from .pairs import SCORES, TARGETS, PairReader
from .ratio import divide, sum_exactly
from .running_metric import RunningMetric
from .types import Metrics, Total

__all__ = ["Perplexity"]


@METRICS.register_module()
class Perplexity(RunningMetric):
    """Exponential of the mean negative log-likelihood of the targets. Every token counts once.

    Predictions are logits or log-probabilities of shape (tokens, vocabulary), or
    (vocabulary, tokens), for targets of shape (tokens,). Targets are compared with the logits in
    the same place: shift them before.

    Args:
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, see the README.
        target: Field of targets. Defaults to None: the usual names.
        ignore_index: Label of tokens that do not count, such as padding. Defaults to -100.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Examples:
        >>> metric = Perplexity()
        >>> metric.process(None, [dict(logits=[[0.0, 0.0], [5.0, 5.0]], labels=[0, 1])])
        >>> metric.evaluate(size=1)
        {'perplexity': 2.0}
    """

    number_names = ("perplexity",)

    def __init__(
        self,
        pred: str | None = None,
        target: str | None = None,
        ignore_index: int | None = -100,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.ignore_index = ignore_index
        self._reader = PairReader(
            type(self).__name__,
            (pred,) if pred else ("logits", *SCORES),
            (target,) if target else TARGETS,
            ("score", "data", "label"),
        )

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        owner = type(self).__name__
        for pred, target in self._reader.read(data_batch, data_samples):
            scores = align_scores(owner, pred, target, last=True).movedim(1, -1)
            flat = scores.reshape(-1, scores.shape[-1])
            flat, truth = drop_ignored(flat, target.reshape(-1).long(), self.ignore_index)
            check_labels(owner, truth, flat.shape[1], "target")
            if flat.dtype not in (torch.float32, torch.float64):
                flat = flat.float()
            losses = F.cross_entropy(flat, truth, reduction="none")
            self.sums["loss"] += sum_exactly(losses).cpu()
            self.sums["tokens"] += truth.numel()

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        mean = divide(type(self).__name__, sums, "loss", "tokens")
        with np.errstate(over="ignore"):
            return {"perplexity": float(np.exp(mean))}
