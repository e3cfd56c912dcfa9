"""Metrics and their collection across processes."""

from .evaluator import Evaluator
from .metric import BaseMetric
from .metric_value import get_metric_value

__all__ = ["BaseMetric", "Evaluator", "get_metric_value"]
