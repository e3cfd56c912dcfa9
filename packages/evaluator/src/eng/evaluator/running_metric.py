"""Metrics that need no more than sums."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from eng.dist import gather_object, get_dist_info
from eng.logging import print_log
from eng.utils import override

from .metric import BaseMetric
from .to_cpu import to_cpu

__all__ = ["RunningMetric"]


class RunningMetric(BaseMetric):
    """A metric that keeps sums instead of an entry a sample, so that its memory does not grow.

    A subclass adds each batch to ``self.sums`` in :meth:`update`, and turns the sums over all
    samples and processes into numbers in :meth:`reduce`.

    The last batch is held until the next one comes or the dataset has ended: only then it is known
    which of its samples are padding, to be left out.

    Args:
        collect_device: As of :class:`BaseMetric`; sums are gathered by communication anyway.
        prefix: What is put before the names of the numbers, as ``prefix/name``. Defaults to None:
            ``default_prefix`` of the class, which may be None as well.

    Attributes:
        sums: By name, numbers, tensors or arrays of one shape; a name is 0 at first.

    Examples:
        >>> class Accuracy(RunningMetric):
        ...     def update(self, data_batch, data_samples):
        ...         self.sums['right'] += sum(s['label'] == s['guess'] for s in data_samples)
        ...         self.sums['all'] += len(data_samples)
        ...
        ...     def reduce(self, sums):
        ...         return {'accuracy': sums['right'] / sums['all']}
        >>> metric = Accuracy()
        >>> metric.process(None, [{'label': 1, 'guess': 1}, {'label': 2, 'guess': 0}])
        >>> metric.evaluate(size=2)
        {'accuracy': 0.5}
    """

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.sums: defaultdict[str, Any] = defaultdict(int)
        self._held: tuple[Any, Sequence[Any]] = (None, ())
        self._seen = 0

    @abstractmethod
    def update(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Add samples to ``self.sums``.

        Args:
            data_batch: The batch from the data loader. The last one may hold more samples than
                ``data_samples``, of which padding has been cut off.
            data_samples: What the model predicted for it; never empty.
        """

    @abstractmethod
    def reduce(self, sums: Mapping[str, Any]) -> dict[str, Any]:
        """Compute the numbers.

        Args:
            sums: The sums over the samples of all processes, tensors on the CPU.

        Returns:
            Numbers by name.
        """

    @override
    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Take in one batch.

        Args:
            data_batch: The batch from the data loader.
            data_samples: What the model predicted for it.
        """
        if not len(data_samples):
            return
        self._release(len(self._held[1]))
        self._held = (data_batch, data_samples)
        self._seen += len(data_samples)

    @override
    def compute_metrics(self, results: list[Any]) -> dict[str, Any]:
        """Compute the numbers from the sums of each process.

        Args:
            results: The sums by name, one dict a process.

        Returns:
            Numbers by name.
        """
        total: defaultdict[str, Any] = defaultdict(int)
        for sums in results:
            for name, value in sums.items():
                total[name] = total[name] + value
        return self.reduce(total)

    def _release(self, count: int) -> None:
        """Add so many samples of the batch that is held, and let it go."""
        data_batch, data_samples = self._held
        self._held = (None, ())
        if count:
            self.update(data_batch, data_samples[:count])

    def _end(self, size: int) -> int:
        """Add the batch that is held, without what padding has added to the dataset.

        Returns:
            The number of all samples that this process has added.
        """
        rank, world_size = get_dist_info()
        padding = max(0, self._seen - len(range(rank, size, world_size)))
        held, seen, self._seen = len(self._held[1]), self._seen, 0
        if padding > held:
            raise ValueError(
                f"{type(self).__name__} has taken in {seen} samples in rank {rank} of {world_size} "
                f"for a dataset of {size}: so many cannot be padding"
            )
        if not seen:
            print_log(
                f"{type(self).__name__} got no samples", logger="current", level=logging.WARNING
            )
        self._release(held - padding)
        return seen - padding

    @override
    def _collect(self, size: int) -> list[Any] | None:
        self._end(size)
        sums = to_cpu(dict(self.sums))
        self.sums.clear()
        gathered = gather_object(sums)
        return None if gathered is None else [each for each in gathered if each]
