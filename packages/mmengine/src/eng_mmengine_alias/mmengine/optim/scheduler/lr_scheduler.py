"""Names of mmengine.optim.scheduler.lr_scheduler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import ConstantLR as ConstantLR
    from eng.optim import ConstantParamScheduler as ConstantParamScheduler
    from eng.optim import CosineAnnealingLR as CosineAnnealingLR
    from eng.optim import CosineAnnealingParamScheduler as CosineAnnealingParamScheduler
    from eng.optim import CosineRestartLR as CosineRestartLR
    from eng.optim import CosineRestartParamScheduler as CosineRestartParamScheduler
    from eng.optim import ExponentialLR as ExponentialLR
    from eng.optim import ExponentialParamScheduler as ExponentialParamScheduler
    from eng.optim import LinearLR as LinearLR
    from eng.optim import LinearParamScheduler as LinearParamScheduler
    from eng.optim import MultiStepLR as MultiStepLR
    from eng.optim import MultiStepParamScheduler as MultiStepParamScheduler
    from eng.optim import OneCycleLR as OneCycleLR
    from eng.optim import OneCycleParamScheduler as OneCycleParamScheduler
    from eng.optim import PolyLR as PolyLR
    from eng.optim import PolyParamScheduler as PolyParamScheduler
    from eng.optim import ReduceOnPlateauLR as ReduceOnPlateauLR
    from eng.optim import ReduceOnPlateauParamScheduler as ReduceOnPlateauParamScheduler
    from eng.optim import StepLR as StepLR
    from eng.optim import StepParamScheduler as StepParamScheduler
    from eng.optim.scheduler.lr_scheduler import LRSchedulerMixin as LRSchedulerMixin
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "ConstantLR ConstantParamScheduler CosineAnnealingLR CosineAnnealingParamScheduler CosineRestartLR CosineRestartParamScheduler ExponentialLR ExponentialParamScheduler LinearLR LinearParamScheduler MultiStepLR MultiStepParamScheduler OneCycleLR OneCycleParamScheduler PolyLR PolyParamScheduler ReduceOnPlateauLR ReduceOnPlateauParamScheduler StepLR StepParamScheduler",
        "eng.optim.scheduler.lr_scheduler": "LRSchedulerMixin",
        "eng.registry": "PARAM_SCHEDULERS",
    },
)
