"""Base class of metrics that are computed from sums."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence

from eng.dist import gather_object, get_data_info, keep_data_ranks
from eng.logging import print_log
from eng.utils import DataBatch, DataSample, override

from .metric import BaseMetric
from .to_cpu import to_cpu
from .types import Metrics, Result, Total

__all__ = ["RunningMetric"]


class RunningMetric(BaseMetric):
    """A metric that keeps sums instead of an entry per sample, in constant memory.

    A subclass adds each batch to ``self.sums`` in :meth:`update`, and computes metrics from the
    sums over all samples and processes in :meth:`reduce`.

    The last batch is kept until the next one or the end of the dataset, which shows how many of its
    samples are padding to be dropped.

    Args:
        collect_device: Accepted like in :class:`BaseMetric`, without effect: sums are always
            gathered by communication.
        prefix: Prefix of metric names, ``prefix/name``. Defaults to None: ``default_prefix`` of the
            class, which may be None as well.

    Attributes:
        sums: Numbers, tensors or arrays of one shape by name; initially 0.

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
        self.sums: defaultdict[str, Total] = defaultdict(int)
        self._held: tuple[DataBatch, Sequence[DataSample]] = (None, ())
        self._seen = 0

    @abstractmethod
    def update(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        """Add samples to ``self.sums``.

        Args:
            data_batch: The batch from the data loader. The last one may have more samples than
                ``data_samples``, from which padding was dropped.
            data_samples: Model predictions for it; never empty.
        """

    @abstractmethod
    def reduce(self, sums: Mapping[str, Total]) -> Metrics:
        """Compute the metrics.

        Args:
            sums: The sums over the samples of all processes, tensors on the CPU.

        Returns:
            Metric values by name.
        """

    @override
    def process(self, data_batch: DataBatch, data_samples: Sequence[DataSample]) -> None:
        if not len(data_samples):
            return
        self._release(len(self._held[1]))
        self._held = (data_batch, data_samples)
        self._seen += len(data_samples)

    @override
    def _describe_progress(self) -> str:
        return f"{getattr(self, '_seen', 0)} samples"

    @override
    def compute_metrics(self, results: list[Result]) -> Metrics:
        """Compute the metrics from the sums of each process.

        Args:
            results: The sums by name, one dict per process.

        Returns:
            Metric values by name.
        """
        total: defaultdict[str, Total] = defaultdict(int)
        for sums in results:
            for name, value in sums.items():
                total[name] = total[name] + value
        return self.reduce(total)

    def _release(self, count: int) -> None:
        """Add the first ``count`` samples of the kept batch, and drop it."""
        data_batch, data_samples = self._held
        self._held = (None, ())
        if count:
            self.update(data_batch, data_samples[:count])

    def _flush(self, size: int) -> int:
        """Add the kept batch without the padding of the dataset.

        Returns:
            The number of samples that this process has added.
        """
        rank, world_size = get_data_info()
        padding = max(0, self._seen - len(range(rank, size, world_size)))
        held, seen, self._seen = len(self._held[1]), self._seen, 0
        if padding > held:
            raise ValueError(
                f"{type(self).__name__} has processed {seen} samples in rank {rank} of "
                f"{world_size} for a dataset of {size}: too many to be padding"
            )
        if not seen:
            print_log(
                f"{type(self).__name__} received no samples",
                logger="current",
                level=logging.WARNING,
            )
        self._release(held - padding)
        return seen - padding

    @override
    def _gather_results(self, size: int) -> list[Result] | None:
        self._flush(size)
        sums = to_cpu(dict(self.sums))
        self.sums.clear()
        gathered = gather_object(sums)
        return None if gathered is None else [each for each in keep_data_ranks(gathered) if each]
