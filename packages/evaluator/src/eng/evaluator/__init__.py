"""Metrics and their collection across processes."""

from typing import TYPE_CHECKING

from .dump_results import DumpPredictions, DumpResults
from .evaluator import Evaluator
from .metric import BaseMetric
from .metric_value import get_metric_value
from .running_metric import RunningMetric
from .torch_metric import TorchMetric

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "BaseMetric",
    "DumpPredictions",
    "DumpResults",
    "Evaluator",
    "RunningMetric",
    "TorchMetric",
    "get_metric_value",
]
