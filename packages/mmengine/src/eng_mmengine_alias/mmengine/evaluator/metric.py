"""Names of mmengine.evaluator.metric, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import broadcast_object_list as broadcast_object_list
    from eng.dist import collect_results as collect_results
    from eng.dist import is_main_process as is_main_process
    from eng.evaluator import BaseMetric as BaseMetric
    from eng.evaluator import DumpResults as DumpResults
    from eng.evaluator.metric import _to_cpu as _to_cpu
    from eng.fileio import dump as dump
    from eng.logging import print_log as print_log
    from eng.registry import METRICS as METRICS
    from eng.structures import BaseDataElement as BaseDataElement

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "broadcast_object_list collect_results is_main_process",
        "eng.evaluator": "BaseMetric DumpResults",
        "eng.evaluator.metric": "_to_cpu",
        "eng.fileio": "dump",
        "eng.logging": "print_log",
        "eng.registry": "METRICS",
        "eng.structures": "BaseDataElement",
    },
)
