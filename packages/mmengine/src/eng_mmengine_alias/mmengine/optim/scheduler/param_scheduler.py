"""Names of mmengine.optim.scheduler.param_scheduler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import print_log as print_log
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import ConstantParamScheduler as ConstantParamScheduler
    from eng.optim import CosineAnnealingParamScheduler as CosineAnnealingParamScheduler
    from eng.optim import CosineRestartParamScheduler as CosineRestartParamScheduler
    from eng.optim import ExponentialParamScheduler as ExponentialParamScheduler
    from eng.optim import LinearParamScheduler as LinearParamScheduler
    from eng.optim import MultiStepParamScheduler as MultiStepParamScheduler
    from eng.optim import OneCycleParamScheduler as OneCycleParamScheduler
    from eng.optim import PolyParamScheduler as PolyParamScheduler
    from eng.optim import ReduceOnPlateauParamScheduler as ReduceOnPlateauParamScheduler
    from eng.optim import StepParamScheduler as StepParamScheduler
    from eng.optim import _ParamScheduler as _ParamScheduler
    from eng.optim.scheduler.base_scheduler import INF as INF
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "print_log",
        "eng.optim": "BaseOptimWrapper ConstantParamScheduler CosineAnnealingParamScheduler CosineRestartParamScheduler ExponentialParamScheduler LinearParamScheduler MultiStepParamScheduler OneCycleParamScheduler PolyParamScheduler ReduceOnPlateauParamScheduler StepParamScheduler _ParamScheduler",
        "eng.optim.scheduler.base_scheduler": "INF",
        "eng.registry": "PARAM_SCHEDULERS",
    },
)
