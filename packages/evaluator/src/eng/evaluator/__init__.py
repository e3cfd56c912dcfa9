"""Metrics and their collection across processes."""

from typing import TYPE_CHECKING

from .accuracy import Accuracy
from .confusion_matrix import ConfusionMatrix
from .dump_results import DumpPredictions, DumpResults
from .evaluator import Evaluator
from .mean import Mean
from .mean_absolute_error import MeanAbsoluteError
from .mean_iou import MeanIoU
from .metric import BaseMetric
from .metric_value import get_metric_value
from .perplexity import Perplexity
from .running_metric import RunningMetric
from .table import format_metrics, format_table
from .torch_metric import TorchMetric

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "Accuracy",
    "BaseMetric",
    "ConfusionMatrix",
    "DumpPredictions",
    "DumpResults",
    "Evaluator",
    "Mean",
    "MeanAbsoluteError",
    "MeanIoU",
    "Perplexity",
    "RunningMetric",
    "TorchMetric",
    "format_metrics",
    "format_table",
    "get_metric_value",
]
