"""Names of mmengine.evaluator.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.evaluator import get_metric_value as get_metric_value

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.evaluator": "get_metric_value",
    },
)
