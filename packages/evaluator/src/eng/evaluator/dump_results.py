"""Predictions into a file, to be evaluated later."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from eng.fileio import dump
from eng.logging import print_log
from eng.registry import METRICS
from eng.utils import override

from .metric import BaseMetric
from .to_cpu import to_cpu

__all__ = ["DumpResults"]


@METRICS.register_module()
class DumpResults(BaseMetric):
    """Writes the predictions of the whole dataset into a pickle, in its order.

    :meth:`Evaluator.offline_evaluate` computes numbers from what the pickle holds.

    Args:
        out_file_path: Path of the file, in any storage of :mod:`eng.fileio`; must end with
            ``.pkl`` or ``.pickle``.
        collect_device: ``'cpu'`` (default) or ``'gpu'``: where results of several processes meet.
        collect_dir: See :class:`BaseMetric`. Defaults to None.

    Raises:
        ValueError: If the path ends otherwise, or ``collect_device`` and ``collect_dir`` are not
            as for :class:`BaseMetric`.
    """

    number_names = ()

    def __init__(
        self, out_file_path: str, collect_device: str = "cpu", collect_dir: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        if not out_file_path.endswith((".pkl", ".pickle")):
            raise ValueError(
                f"out_file_path must end with '.pkl' or '.pickle', not {out_file_path!r}"
            )
        self.out_file_path = out_file_path

    @override
    def process(self, data_batch: Any, predictions: Sequence[dict[str, Any]]) -> None:
        """Keep predictions, on the CPU.

        Args:
            data_batch: Ignored.
            predictions: What the model predicted.
        """
        self.results.extend(to_cpu(prediction) for prediction in predictions)

    @override
    def compute_metrics(self, results: list[Any]) -> dict[str, Any]:
        """Write the file.

        Args:
            results: The predictions of all processes.

        Returns:
            No numbers.
        """
        dump(results, self.out_file_path)
        print_log(
            f"{len(results)} predictions have been written to {self.out_file_path}.",
            logger="current",
            level=logging.INFO,
        )
        return {}
