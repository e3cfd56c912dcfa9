"""The base class of metrics."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from eng.dist import broadcast_object_list, collect_results, is_main_process
from eng.logging import print_log

from .to_cpu import to_cpu

__all__ = ["BaseMetric"]

_to_cpu = to_cpu  # downstream code imports it by this name


class BaseMetric(ABC):
    """A metric computed from results that are gathered over all batches and processes.

    A subclass turns each batch into entries of ``self.results`` in :meth:`process`, and all
    entries into numbers in :meth:`compute_metrics`. Where sums are enough to compute from, see
    :class:`RunningMetric`, which keeps no entries.

    Args:
        collect_device: ``'cpu'`` (default) or ``'gpu'``: where results of several processes meet.
        prefix: What is put before the names of the numbers, as ``prefix/name``. Defaults to None:
            ``default_prefix`` of the class, which may be None as well.
        collect_dir: Folder on storage that all processes share, for results that meet on the CPU.
            Defaults to None, a temporary one.

    Attributes:
        results: Entries of the samples that this process has seen.
        dataset_meta: Meta information of the dataset, set by the loop.

    Raises:
        ValueError: If ``collect_device`` is neither, or a ``collect_dir`` is given for another than
            the CPU.
    """

    default_prefix: str | None = None
    #: Names of the numbers, without prefix, where a class or instance can tell them beforehand.
    number_names: Sequence[str] | None = None

    # On the class, for those subclasses whose __init__ does not call this one.
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
                f"collect_dir is for collect_device='cpu' alone, not for {collect_device!r}"
            )
        self.collect_device = collect_device
        self.collect_dir = collect_dir
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

        Raises:
            ValueError: If there is nothing to compute from.
            RuntimeError: In the other processes, if the first one cannot compute the numbers; there
                it raises what went wrong.
        """
        results = self._collect(size)
        self.results.clear()
        answer: list[Any] = [None, ""]
        error: Exception | None = None
        if is_main_process():
            try:
                answer[0] = self._computed(results or [])
            except Exception as problem:  # told to the others, who would wait for it
                error = problem
                answer[1] = f"{type(problem).__name__}: {problem}"
        broadcast_object_list(answer)
        if error is not None:
            raise error
        if answer[1]:
            raise RuntimeError(f"rank 0 cannot compute {type(self).__name__}: {answer[1]}")
        return answer[0]

    def _collect(self, size: int) -> list[Any] | None:
        """What the numbers are computed from, of all processes, in the first of them."""
        if not self.results:
            print_log(
                f"{type(self).__name__} got no results: its process() must append to self.results",
                logger="current",
                level=logging.WARNING,
            )
        found = collect_results(self.results, size, self.collect_device, self.collect_dir)
        return to_cpu(found)

    def _computed(self, results: list[Any]) -> dict[str, Any]:
        try:
            numbers = self.compute_metrics(results)
        except Exception as error:
            if results:
                raise
            raise self._nothing() from error
        if not isinstance(numbers, Mapping):
            raise TypeError(
                f"compute_metrics of {type(self).__name__} must return a dict of numbers by name, "
                f"not {type(numbers).__name__}"
            )
        prefix = f"{self.prefix}/" if self.prefix else ""
        return {f"{prefix}{name}": value for name, value in numbers.items()}

    def _nothing(self) -> ValueError:
        return ValueError(
            f"{type(self).__name__} has nothing to compute from: no process has passed it any "
            "samples"
        )
