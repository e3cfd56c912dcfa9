"""Names of mmengine.analysis, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.analysis import ActivationAnalyzer as ActivationAnalyzer
    from eng.analysis import FlopAnalyzer as FlopAnalyzer
    from eng.analysis import activation_count as activation_count
    from eng.analysis import flop_count as flop_count
    from eng.analysis import get_model_complexity_info as get_model_complexity_info
    from eng.analysis import parameter_count as parameter_count
    from eng.analysis import parameter_count_table as parameter_count_table

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.analysis": "ActivationAnalyzer FlopAnalyzer activation_count flop_count get_model_complexity_info parameter_count parameter_count_table",
    },
    modules="complexity_analysis jit_analysis jit_handles print_helper",
)
