"""Names of mmengine.optim.scheduler.momentum_scheduler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import ConstantMomentum as ConstantMomentum
    from eng.optim import ConstantParamScheduler as ConstantParamScheduler
    from eng.optim import CosineAnnealingMomentum as CosineAnnealingMomentum
    from eng.optim import CosineAnnealingParamScheduler as CosineAnnealingParamScheduler
    from eng.optim import CosineRestartMomentum as CosineRestartMomentum
    from eng.optim import CosineRestartParamScheduler as CosineRestartParamScheduler
    from eng.optim import ExponentialMomentum as ExponentialMomentum
    from eng.optim import ExponentialParamScheduler as ExponentialParamScheduler
    from eng.optim import LinearMomentum as LinearMomentum
    from eng.optim import LinearParamScheduler as LinearParamScheduler
    from eng.optim import MultiStepMomentum as MultiStepMomentum
    from eng.optim import MultiStepParamScheduler as MultiStepParamScheduler
    from eng.optim import PolyMomentum as PolyMomentum
    from eng.optim import PolyParamScheduler as PolyParamScheduler
    from eng.optim import ReduceOnPlateauMomentum as ReduceOnPlateauMomentum
    from eng.optim import ReduceOnPlateauParamScheduler as ReduceOnPlateauParamScheduler
    from eng.optim import StepMomentum as StepMomentum
    from eng.optim import StepParamScheduler as StepParamScheduler
    from eng.optim.scheduler.momentum_scheduler import (
        MomentumSchedulerMixin as MomentumSchedulerMixin,
    )
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "ConstantMomentum ConstantParamScheduler CosineAnnealingMomentum CosineAnnealingParamScheduler CosineRestartMomentum CosineRestartParamScheduler ExponentialMomentum ExponentialParamScheduler LinearMomentum LinearParamScheduler MultiStepMomentum MultiStepParamScheduler PolyMomentum PolyParamScheduler ReduceOnPlateauMomentum ReduceOnPlateauParamScheduler StepMomentum StepParamScheduler",
        "eng.optim.scheduler.momentum_scheduler": "MomentumSchedulerMixin",
        "eng.registry": "PARAM_SCHEDULERS",
    },
)
