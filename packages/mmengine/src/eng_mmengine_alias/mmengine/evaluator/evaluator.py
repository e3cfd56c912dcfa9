"""Names of mmengine.evaluator.evaluator, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dataset import pseudo_collate as pseudo_collate
    from eng.evaluator import BaseMetric as BaseMetric
    from eng.evaluator import Evaluator as Evaluator
    from eng.registry import EVALUATOR as EVALUATOR
    from eng.registry import METRICS as METRICS
    from eng.structures import BaseDataElement as BaseDataElement

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dataset": "pseudo_collate",
        "eng.evaluator": "BaseMetric Evaluator",
        "eng.registry": "EVALUATOR METRICS",
        "eng.structures": "BaseDataElement",
    },
)
