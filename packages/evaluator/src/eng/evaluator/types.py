"""Types of metrics and of what they compute from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from eng.utils import DataBatch, DataSample

if TYPE_CHECKING:
    from torchmetrics import Metric, MetricCollection

    from eng.registry import PartOrConfig

__all__ = ["MetricLike", "MetricOrConfig", "Metrics", "Result", "Total"]

#: Values by metric name: mostly numbers, but a metric may report other data too.
Metrics: TypeAlias = "dict[str, Any]"

#: An entry of ``BaseMetric.results``: whatever the metric keeps of a sample.
Result: TypeAlias = Any

#: A sum of a ``RunningMetric``: a number, tensor or array, whatever can be added.
Total: TypeAlias = Any

#: A metric or its config, or a metric of torchmetrics.
MetricOrConfig: TypeAlias = "PartOrConfig[MetricLike] | Metric | MetricCollection"


class MetricLike(Protocol):
    """The methods of a metric that an evaluator calls."""

    def process(self, data_batch: DataBatch, data_samples: Sequence[DataSample], /) -> None:
        """Process a batch."""

    def evaluate(self, size: int, /) -> Metrics:
        """Compute the metrics."""
