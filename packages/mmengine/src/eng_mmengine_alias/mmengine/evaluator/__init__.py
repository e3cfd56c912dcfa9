"""Names of mmengine.evaluator, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.evaluator import BaseMetric as BaseMetric
    from eng.evaluator import DumpResults as DumpResults
    from eng.evaluator import Evaluator as Evaluator
    from eng.evaluator import get_metric_value as get_metric_value

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.evaluator": "BaseMetric DumpResults Evaluator get_metric_value",
    },
    modules="evaluator metric utils",
)
