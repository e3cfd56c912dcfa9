"""Names of mmengine.model.averaged_model, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import print_log as print_log
    from eng.model import BaseAveragedModel as BaseAveragedModel
    from eng.model import ExponentialMovingAverage as ExponentialMovingAverage
    from eng.model import MomentumAnnealingEMA as MomentumAnnealingEMA
    from eng.model import StochasticWeightAverage as StochasticWeightAverage
    from eng.registry import MODELS as MODELS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "print_log",
        "eng.model": "BaseAveragedModel ExponentialMovingAverage MomentumAnnealingEMA StochasticWeightAverage",
        "eng.registry": "MODELS",
    },
)
