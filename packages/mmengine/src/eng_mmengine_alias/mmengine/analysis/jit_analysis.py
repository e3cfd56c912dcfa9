"""Names of mmengine.analysis.jit_analysis, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.analysis import JitModelAnalysis as JitModelAnalysis
    from eng.analysis.jit_analysis import Statistics as Statistics
    from eng.logging import print_log as print_log

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.analysis": "JitModelAnalysis",
        "eng.analysis.jit_analysis": "Statistics",
        "eng.logging": "print_log",
    },
)
