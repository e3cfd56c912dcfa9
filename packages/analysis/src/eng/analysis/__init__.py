"""Count the parameters, FLOPs and activations of a model."""

from typing import TYPE_CHECKING

from .complexity_analysis import ActivationAnalyzer, FlopAnalyzer, activation_count, flop_count
from .jit_analysis import JitModelAnalysis
from .parameters import parameter_count, parameter_count_table
from .print_helper import (
    complexity_stats_str,
    complexity_stats_table,
    get_model_complexity_info,
)

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "ActivationAnalyzer",
    "FlopAnalyzer",
    "JitModelAnalysis",
    "activation_count",
    "complexity_stats_str",
    "complexity_stats_table",
    "flop_count",
    "get_model_complexity_info",
    "parameter_count",
    "parameter_count_table",
]
