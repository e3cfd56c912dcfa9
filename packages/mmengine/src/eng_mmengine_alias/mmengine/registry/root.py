"""Names of mmengine.registry.root, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.registry import DATASETS as DATASETS
    from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS
    from eng.registry import EVALUATOR as EVALUATOR
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import HOOKS as HOOKS
    from eng.registry import INFERENCERS as INFERENCERS
    from eng.registry import LOG_PROCESSORS as LOG_PROCESSORS
    from eng.registry import LOOPS as LOOPS
    from eng.registry import METRICS as METRICS
    from eng.registry import MODELS as MODELS
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS as OPTIM_WRAPPER_CONSTRUCTORS
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS
    from eng.registry import RUNNERS as RUNNERS
    from eng.registry import RUNNER_CONSTRUCTORS as RUNNER_CONSTRUCTORS
    from eng.registry import Registry as Registry
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.registry import TASK_UTILS as TASK_UTILS
    from eng.registry import TRANSFORMS as TRANSFORMS
    from eng.registry import VISBACKENDS as VISBACKENDS
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.registry import WEIGHT_INITIALIZERS as WEIGHT_INITIALIZERS
    from eng.registry import build_model_from_cfg as build_model_from_cfg
    from eng.registry import build_runner_from_cfg as build_runner_from_cfg
    from eng.registry import build_scheduler_from_cfg as build_scheduler_from_cfg

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.registry": "DATASETS DATA_SAMPLERS EVALUATOR FUNCTIONS HOOKS INFERENCERS LOG_PROCESSORS LOOPS METRICS MODELS MODEL_WRAPPERS OPTIMIZERS OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS PARAM_SCHEDULERS RUNNERS RUNNER_CONSTRUCTORS Registry STRATEGIES TASK_UTILS TRANSFORMS VISBACKENDS VISUALIZERS WEIGHT_INITIALIZERS build_model_from_cfg build_runner_from_cfg build_scheduler_from_cfg",
    },
)
