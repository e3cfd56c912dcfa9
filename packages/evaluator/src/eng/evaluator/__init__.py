"""Metrics and their collection across processes."""

from .dump_results import DumpResults
from .evaluator import Evaluator
from .metric import BaseMetric
from .metric_value import get_metric_value
from .running_metric import RunningMetric
from .torch_metric import TorchMetric

__all__ = [
    "BaseMetric",
    "DumpResults",
    "Evaluator",
    "RunningMetric",
    "TorchMetric",
    "get_metric_value",
]
