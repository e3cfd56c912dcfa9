"""Evaluate several metrics as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from inspect import isabstract
from itertools import islice
from typing import Any

from eng.registry import EVALUATOR, METRICS
from eng.utils import ArgumentValueError, DataBatch, DataSample, StateDict, override

from .collate import collate_plain
from .metric import BaseMetric
from .running_metric import RunningMetric
from .torch_metric import TorchMetric, is_torchmetrics
from .types import MetricLike, MetricOrConfig, Metrics

__all__ = ["Evaluator"]

#: Methods of metrics that name the values.
_COMPUTING = ("evaluate", "compute_metrics", "reduce", "compute_from_matrix")


@EVALUATOR.register_module()
class Evaluator:
    """Passes batches to metrics and merges their values.

    Args:
        metrics: A metric or its config, or a list of these. Metrics of torchmetrics are wrapped in
            :class:`TorchMetric`.

    Raises:
        TypeError: If an element is not a metric.
    """

    def __init__(self, metrics: MetricOrConfig | Sequence[MetricOrConfig]) -> None:
        self._dataset_meta: StateDict | None = None
        given = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        self.metrics: list[Any] = [_build(metric) for metric in given]

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.metrics!r})"

    @property
    def dataset_meta(self) -> StateDict | None:
        """Meta information of the dataset, passed on to every metric when set."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: StateDict) -> None:
        self._dataset_meta = dataset_meta
        for metric in self.metrics:
            metric.dataset_meta = dataset_meta

    def metric_names(self) -> list[str] | None:
        """Return the metric names of :meth:`evaluate`; None if one metric does not declare them."""
        names: list[str] = []
        for metric in self.metrics:
            own = _find_names(metric)
            if own is None or self._may_rename:
                return None
            prefix = f"{metric.prefix}/" if metric.prefix else ""
            names += [f"{prefix}{name}" for name in own]
        return names

    def metric_prefixes(self) -> list[str] | None:
        """Return the prefixes of all names; None if a metric has none or may change it."""
        names = [_find_names(metric) for metric in self.metrics]
        prefixes = [
            _find_prefix(metric)
            for metric, own in zip(self.metrics, names, strict=True)
            if own is None or len(own)
        ]
        if self._may_rename or None in prefixes:
            return None
        return [each for each in prefixes if each is not None]

    @property
    def _may_rename(self) -> bool:
        """Whether a subclass may return other names than those of the metrics."""
        return type(self).evaluate is not Evaluator.evaluate

    def process(self, data_samples: Sequence[DataSample], data_batch: DataBatch = None) -> None:
        """Pass one batch to every metric.

        Args:
            data_samples: Model predictions. Objects with ``to_dict``, such as data elements, are
                converted to dicts.
            data_batch: The batch from the data loader. Defaults to None.
        """
        samples = [s.to_dict() if hasattr(s, "to_dict") else s for s in data_samples]
        for metric in self.metrics:
            metric.process(data_batch, samples)

    def evaluate(self, size: int) -> Metrics:
        """Compute the values of every metric.

        Args:
            size: Number of samples of the dataset, see :meth:`BaseMetric.evaluate`.

        Returns:
            Metric values by name.

        Raises:
            ValueError: If two metrics return the same name.
        """
        merged: Metrics = {}
        # Evaluate all metrics before merging, so that each resets even if names collide.
        for metric, numbers in [(metric, metric.evaluate(size)) for metric in self.metrics]:
            double = sorted(set(numbers) & set(merged))
            if double:
                raise ValueError(
                    f"duplicate metric names {double} of {type(metric).__name__} and another "
                    "metric; distinguish them with prefix=..."
                )
            merged.update(numbers)
        return merged

    def offline_evaluate(
        self,
        data_samples: Iterable[DataSample],
        data: Iterable[DataSample] | None = None,
        chunk_size: int = 1,
    ) -> Metrics:
        """Compute the metrics from saved predictions.

        Args:
            data_samples: All predictions; an iterator is read chunk by chunk.
            data: All data of the dataset, in the same order. Metrics receive them in batches,
                collated like by ``pseudo_collate`` of :mod:`eng.dataset`. Defaults to None.
            chunk_size: Number of samples passed to the metrics at once. Defaults to 1.

        Returns:
            Metric values by name.

        Raises:
            ValueError: If ``data`` and ``data_samples`` differ in length, or ``chunk_size`` is
                below 1.
        """
        if chunk_size < 1:
            raise ArgumentValueError(f"chunk_size must be at least 1, got {chunk_size}")
        if isinstance(data, Sized) and isinstance(data_samples, Sized):
            _check_lengths(len(data), len(data_samples))
        size = 0
        batches = _split(iter(data), chunk_size) if data is not None else None
        for outputs in _split(iter(data_samples), chunk_size):
            batch = next(batches, []) if batches is not None else None
            if batch is not None and len(batch) != len(outputs):
                _check_lengths(size + len(batch), size + len(outputs))
            self.process(outputs, None if batch is None else collate_plain(batch))
            size += len(outputs)
        if batches is not None and (rest := next(batches, [])):
            _check_lengths(size + len(rest), size)
        return self.evaluate(size)


def _find_names(metric: MetricLike) -> Sequence[str] | None:
    """Find the declared names of a metric; None where a subclass may compute others."""
    names = metric.number_names if isinstance(metric, BaseMetric) else None
    kinds = type(metric).__mro__
    computing = [
        place
        for place, kind in enumerate(kinds)
        if not isabstract(kind) and any(name in vars(kind) for name in _COMPUTING)
    ]
    if names is None or len(computing) < 2:
        return names
    own = [vars(kind) for kind in kinds[: computing[0] + 1]]
    return next((each["number_names"] for each in own if "number_names" in each), None)


def _find_prefix(metric: MetricLike) -> str | None:
    # A class that overrides evaluate may return other names.
    own = (BaseMetric.evaluate, RunningMetric.evaluate)
    if not isinstance(metric, BaseMetric) or type(metric).evaluate not in own:
        return None
    return metric.prefix or None


def _build(metric: object) -> MetricLike:
    built = METRICS.build(metric) if isinstance(metric, dict) else metric
    if is_torchmetrics(built):
        return TorchMetric(built)
    if hasattr(built, "process") and hasattr(built, "evaluate"):
        return built
    raise TypeError(
        f"a metric must be a config dict, a BaseMetric or one of torchmetrics, not "
        f"{type(built).__name__}"
    )


def _check_lengths(of_data: int, of_samples: int) -> None:
    if of_data != of_samples:
        raise ArgumentValueError(
            "data and data_samples should have the same length, but data has "
            f"{of_data} entries for {of_samples} entries of data_samples"
        )


def _split(items: Iterator[DataSample], size: int) -> Iterator[list[DataSample]]:
    while chunk := list(islice(items, size)):
        yield chunk
