"""Base class of metrics."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from eng.dist import broadcast_object_list, collect_results, is_main_process
from eng.logging import print_log
from eng.utils import DataBatch, DataSample, StateDict, override

from .to_cpu import to_cpu
from .types import Metrics, Result

__all__ = ["BaseMetric"]

_to_cpu = to_cpu  # downstream code imports it by this name


class BaseMetric(ABC):
    """A metric computed from results that are gathered over all batches and processes.

    A subclass appends entries of each batch to ``self.results`` in :meth:`process`, and computes
    metrics from all entries in :meth:`compute_metrics`. If sums suffice, use
    :class:`RunningMetric`, which keeps no entries.

    Args:
        collect_device: Device to collect the results of all processes on, ``'cpu'`` (default) or
            ``'gpu'``.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None: ``default_prefix`` of the
            class, which may be None as well.
        collect_dir: Directory that all processes share, to collect results on the CPU. Defaults to
            None, a temporary one.

    Attributes:
        results: Entries of the samples that this process has seen.
        dataset_meta: Meta information of the dataset, set by the loop.

    Raises:
        ValueError: If ``collect_device`` is neither, or ``collect_dir`` is set for another device
            than the CPU.
    """

    default_prefix: str | None = None
    #: Metric names without prefix, if a class or instance can declare them in advance.
    number_names: Sequence[str] | None = None

    # On the class, for subclasses whose __init__ does not call this one.
    collect_dir: str | None = None

    def __init__(
        self,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        if collect_device not in ("cpu", "gpu"):
            raise ValueError(f"collect_device must be 'cpu' or 'gpu', not {collect_device!r}")
        if collect_dir is not None and collect_device != "cpu":
            raise ValueError(
                f"collect_dir is for collect_device='cpu' only, not for {collect_device!r}"
            )
        self.collect_device = collect_device
        self.collect_dir = collect_dir
        self.prefix = prefix if prefix is not None else self.default_prefix
        self.results: list[Result] = []
        self._dataset_meta: StateDict | None = None

    @override
    def __repr__(self) -> str:
        prefix = getattr(self, "prefix", None)
        parts = [] if prefix is None else [f"prefix={prefix!r}"]
        if self.number_names:
            parts.append(f"names={list(self.number_names)}")
        parts.append(self._describe_progress())
        return f"{type(self).__name__}({', '.join(parts)})"

    def _describe_progress(self) -> str:
        return f"{len(getattr(self, 'results', ()))} results"

    @property
    def dataset_meta(self) -> StateDict | None:
        """Meta information of the dataset."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: StateDict) -> None:
        self._dataset_meta = dataset_meta

    @abstractmethod
    def process(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        """Process one batch, by appending one entry per sample to ``self.results``.

        Args:
            data_batch: The batch from the data loader.
            data_samples: Model predictions for it: dicts, if an evaluator passes them.
        """

    @abstractmethod
    def compute_metrics(self, results: list[Result]) -> Metrics:
        """Compute the metrics from the entries of all samples.

        Args:
            results: The entries of all processes, in the order of the dataset.

        Returns:
            Metric values by name.
        """

    def evaluate(self, size: int) -> Metrics:
        """Collect the entries of all processes, compute the metrics, and clear the entries.

        Args:
            size: Number of samples of the dataset. Entries beyond it come from padding and are
                dropped.

        Returns:
            Metric values by name, with the prefix, the same in all processes.

        Raises:
            ValueError: If no process has results.
            RuntimeError: In the other processes, if the main process, which raises the original
                error, cannot compute the metrics.
        """
        results = self._gather_results(size)
        self.results.clear()
        answer: list[tuple[Metrics, str]] = [({}, "")]
        error: Exception | None = None
        if is_main_process():
            try:
                answer = [(_compute_named(self, results or []), "")]
            except Exception as problem:  # broadcast to the other processes, which wait for it
                error = problem
                answer = [({}, f"{type(problem).__name__}: {problem}")]
        broadcast_object_list(answer)
        if error is not None:
            raise error
        metrics, reason = answer[0]
        if reason:
            raise RuntimeError(f"rank 0 cannot compute {type(self).__name__}: {reason}")
        return metrics

    def _gather_results(self, size: int) -> list[Result] | None:
        """Collect the entries of all processes in the main process."""
        if not self.results:
            print_log(
                f"{type(self).__name__} has no results: its process() must append to self.results",
                logger="current",
                level=logging.WARNING,
            )
        found = collect_results(self.results, size, self.collect_device, self.collect_dir)
        return to_cpu(found)

    def _make_empty_error(self) -> ValueError:
        return ValueError(
            f"{type(self).__name__} has no results to compute metrics from: no process received "
            "samples"
        )


def _compute_named(metric: BaseMetric, results: list[Result]) -> Metrics:
    """Compute metrics and prepend the prefix to their names."""
    try:
        metrics = metric.compute_metrics(results)
    except Exception as error:
        if results:
            raise
        raise metric._make_empty_error() from error
    if not isinstance(metrics, Mapping):
        raise TypeError(
            f"compute_metrics of {type(metric).__name__} must return a dict of values by name, "
            f"not {type(metrics).__name__}"
        )
    prefix = f"{metric.prefix}/" if metric.prefix else ""
    return {f"{prefix}{name}": value for name, value in metrics.items()}
