"""Mean absolute error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from eng.registry import METRICS
from eng.utils import ArgumentValueError, DataBatch, DataSample, override

from .class_labels import squeeze
from .pairs import SCORES, TARGETS, VALUES, PairReader
from .ratio import divide, sum_exactly
from .running_metric import RunningMetric
from .types import Metrics, Total

__all__ = ["MeanAbsoluteError"]


@METRICS.register_module()
class MeanAbsoluteError(RunningMetric):
    """Mean absolute difference of predictions and targets, ``mae``. Every element counts once.

    Args:
        pred: Field of predictions; ``a.b`` is the field ``b`` of ``a``. Defaults to None: the
            usual names, see the README.
        target: Field of targets. Defaults to None: the usual names.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None.

    Examples:
        >>> metric = MeanAbsoluteError()
        >>> metric.process(None, [dict(pred=2.5, target=3.0), dict(pred=1.0, target=0.0)])
        >>> metric.evaluate(size=2)
        {'mae': 0.75}
    """

    number_names = ("mae",)

    def __init__(
        self, pred: str | None = None, target: str | None = None, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self._reader = PairReader(
            type(self).__name__,
            (pred,) if pred else (*VALUES, *SCORES),
            (target,) if target else TARGETS,
        )

    @override
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        for pred, target in self._reader.read(data_batch, data_samples):
            first, second = squeeze(pred), squeeze(target)
            if first.shape != second.shape:
                raise ArgumentValueError(
                    f"{type(self).__name__} received predictions of shape {tuple(pred.shape)} for "
                    f"targets of shape {tuple(target.shape)} (samples first): shapes must agree"
                )
            self.sums["error"] += sum_exactly((_to_float(first) - _to_float(second)).abs()).cpu()
            self.sums["count"] += first.numel()

    @override
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        return {"mae": divide(type(self).__name__, sums, "error", "count")}


def _to_float(values: Tensor) -> Tensor:
    return values if values.device.type == "mps" else values.double()
