"""Spread a model over processes by one setting."""

from .apply import check_parallel_parts, parallelize, wrap_for_processes
from .compiling import compile_parts
from .find_parts import UnknownPartError, find_parts
from .recompute import recompute_parts, wrap_forward
from .settings import ParallelSettings, ParallelSettingsError

__all__ = [
    "ParallelSettings",
    "ParallelSettingsError",
    "UnknownPartError",
    "check_parallel_parts",
    "compile_parts",
    "find_parts",
    "parallelize",
    "recompute_parts",
    "wrap_for_processes",
    "wrap_forward",
]
