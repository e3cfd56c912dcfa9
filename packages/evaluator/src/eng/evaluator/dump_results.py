"""Dump predictions to a file for offline evaluation."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import ClassVar

from eng.fileio import dump
from eng.logging import print_log
from eng.registry import METRICS
from eng.structures import to_plain
from eng.utils import DataBatch, DataSample, override

from .metric import BaseMetric
from .to_cpu import to_cpu
from .types import Metrics, Result

__all__ = ["DumpPredictions", "DumpResults"]


@METRICS.register_module()
class DumpResults(BaseMetric):
    """Dumps the predictions of the whole dataset to a pickle file, in the order of the dataset.

    :meth:`Evaluator.offline_evaluate` computes metrics from the loaded predictions.

    Args:
        out_file_path: Path of the file, in any storage of :mod:`eng.fileio`; must end with
            ``.pkl`` or ``.pickle``.
        collect_device: Device to collect the results of all processes on, ``'cpu'`` (default) or
            ``'gpu'``.
        collect_dir: See :class:`BaseMetric`. Defaults to None.

    Raises:
        ValueError: If the suffix of the path is invalid, or ``collect_device`` or ``collect_dir``
            is, see :class:`BaseMetric`.
    """

    number_names = ()
    #: Accepted suffixes of the file.
    suffixes: ClassVar[tuple[str, ...]] = (".pkl", ".pickle")

    def __init__(
        self,
        out_file_path: str | os.PathLike[str],
        collect_device: str = "cpu",
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        out_file_path = os.fspath(out_file_path)
        if not out_file_path.endswith(self.suffixes):
            accepted = " or ".join(map(repr, self.suffixes))
            raise ValueError(f"out_file_path must end with {accepted}, not {out_file_path!r}")
        self.out_file_path = out_file_path

    @override
    def process(self, data_batch: DataBatch, predictions: Sequence[DataSample]) -> None:
        """Keep predictions on the CPU.

        Args:
            data_batch: Ignored.
            predictions: Model predictions.
        """
        self.results.extend(to_cpu(prediction) for prediction in predictions)

    @override
    def compute_metrics(self, results: list[Result]) -> Metrics:
        """Write the file.

        Args:
            results: The predictions of all processes.

        Returns:
            An empty dict.
        """
        dump(self._prepare(results), self.out_file_path)
        print_log(
            f"Saved {len(results)} predictions to {self.out_file_path}.",
            logger="current",
            level=logging.INFO,
        )
        return {}

    def _prepare(self, results: list[Result]) -> list[Result]:
        """Convert the predictions to what the file holds."""
        return results


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """Dumps predictions to a pickle or JSON file, see :class:`DumpResults`.

    JSON has plain data: lists for tensors, dicts for data elements.

    Args:
        out_file_path: Path of the file; must end with ``.pkl``, ``.pickle`` or ``.json``.
        collect_device: See :class:`DumpResults`.
        collect_dir: See :class:`BaseMetric`. Defaults to None.
    """

    suffixes = (".pkl", ".pickle", ".json")

    @override
    def _prepare(self, results: list[Result]) -> list[Result]:
        if self.out_file_path.endswith(".json"):
            return [to_plain(result) for result in results]
        return results
