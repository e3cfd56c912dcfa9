"""The base class of metrics."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from eng.dist import broadcast_object_list, collect_results, is_main_process

__all__ = ["BaseMetric"]


class BaseMetric(ABC):
    """A metric computed from results that are gathered over all batches and processes.

    A subclass turns each batch into entries of ``self.results`` in :meth:`process`, and all
    entries into numbers in :meth:`compute_metrics`.

    Args:
        collect_device: ``'cpu'`` (default) or ``'gpu'``: where results of several processes meet.
        prefix: What is put before the names of the numbers, as ``prefix/name``. Defaults to None:
            ``default_prefix`` of the class, which may be None as well.

    Attributes:
        results: Entries of the samples that this process has seen.
        dataset_meta: Meta information of the dataset, set by the loop.

    Raises:
        ValueError: If ``collect_device`` is neither.
    """

    default_prefix: str | None = None

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        if collect_device not in ("cpu", "gpu"):
            raise ValueError(f"collect_device must be 'cpu' or 'gpu', not {collect_device!r}")
        self.collect_device = collect_device
        self.prefix = prefix if prefix is not None else self.default_prefix
        self.results: list[Any] = []
        self._dataset_meta: dict[str, Any] | None = None

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Meta information of the dataset."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        self._dataset_meta = dataset_meta

    @abstractmethod
    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Take in one batch, by appending one entry a sample to ``self.results``.

        Args:
            data_batch: The batch from the data loader.
            data_samples: What the model predicted for it.
        """

    @abstractmethod
    def compute_metrics(self, results: list[Any]) -> dict[str, Any]:
        """Compute the numbers from the entries of all samples.

        Args:
            results: The entries of all processes, in the order of the dataset.

        Returns:
            Numbers by name.
        """

    def evaluate(self, size: int) -> dict[str, Any]:
        """Collect the entries of all processes, compute the numbers, and forget the entries.

        Args:
            size: Number of samples of the dataset. Entries beyond it come from padding and are
                dropped.

        Returns:
            Numbers by name, with the prefix, the same in all processes.
        """
        if not self.results:
            warnings.warn(
                f"{type(self).__name__} got no results: its process() must append to self.results",
                stacklevel=2,
            )
        results = collect_results(self.results, size, self.collect_device)
        metrics: list[dict[str, Any] | None] = [None]
        if is_main_process():
            computed = self.compute_metrics(results or [])
            prefix = f"{self.prefix}/" if self.prefix else ""
            metrics = [{f"{prefix}{name}": value for name, value in computed.items()}]
        broadcast_object_list(metrics)
        self.results.clear()
        return metrics[0] or {}
