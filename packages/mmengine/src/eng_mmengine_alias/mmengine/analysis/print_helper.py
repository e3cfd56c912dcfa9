"""Names of mmengine.analysis.print_helper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.analysis import ActivationAnalyzer as ActivationAnalyzer
    from eng.analysis import FlopAnalyzer as FlopAnalyzer
    from eng.analysis import complexity_stats_str as complexity_stats_str
    from eng.analysis import complexity_stats_table as complexity_stats_table
    from eng.analysis import get_model_complexity_info as get_model_complexity_info
    from eng.analysis import parameter_count as parameter_count
    from eng.analysis.print_helper import _format_size as _format_size
    from eng.utils import is_tuple_of as is_tuple_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.analysis": "ActivationAnalyzer FlopAnalyzer complexity_stats_str complexity_stats_table get_model_complexity_info parameter_count",
        "eng.analysis.print_helper": "_format_size",
        "eng.utils": "is_tuple_of",
    },
)
