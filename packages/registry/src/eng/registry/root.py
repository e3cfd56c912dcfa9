"""The root registries. Their names are the entry names of the entry-point group `eng.modules`."""

from .builders import (
    build_model_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
)
from .registry import Registry
from .scope import ROOT_SCOPE

__all__ = [
    "COLLATE_FUNCTIONS",
    "DATASETS",
    "DATA_SAMPLERS",
    "EVALUATOR",
    "FSDP_WRAP_POLICIES",
    "FUNCTIONS",
    "HOOKS",
    "INFERENCERS",
    "LOG_PROCESSORS",
    "LOOPS",
    "METRICS",
    "MODELS",
    "MODEL_WRAPPERS",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "PARAM_SCHEDULERS",
    "RUNNERS",
    "RUNNER_CONSTRUCTORS",
    "TASK_UTILS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "WEIGHT_INITIALIZERS",
]

# Runners, and what builds one in another way than Runner.from_cfg.
RUNNERS = Registry("runner", build_func=build_runner_from_cfg, scope=ROOT_SCOPE)
RUNNER_CONSTRUCTORS = Registry("runner_constructor", scope=ROOT_SCOPE)
LOOPS = Registry("loop", scope=ROOT_SCOPE)
HOOKS = Registry("hook", scope=ROOT_SCOPE)
LOG_PROCESSORS = Registry("log_processor", scope=ROOT_SCOPE)

DATASETS = Registry("dataset", scope=ROOT_SCOPE)
DATA_SAMPLERS = Registry("data_sampler", scope=ROOT_SCOPE)
TRANSFORMS = Registry("transform", scope=ROOT_SCOPE)
FUNCTIONS = Registry("function", scope=ROOT_SCOPE)
# The older name of the same: functions of collation are functions.
COLLATE_FUNCTIONS = FUNCTIONS

MODELS = Registry("model", build_func=build_model_from_cfg, scope=ROOT_SCOPE)
MODEL_WRAPPERS = Registry("model_wrapper", scope=ROOT_SCOPE)
WEIGHT_INITIALIZERS = Registry("weight_initializer", scope=ROOT_SCOPE)
FSDP_WRAP_POLICIES = Registry("fsdp_wrap_policy", scope=ROOT_SCOPE)

OPTIMIZERS = Registry("optimizer", scope=ROOT_SCOPE)
OPTIM_WRAPPERS = Registry("optim_wrapper", scope=ROOT_SCOPE)
OPTIM_WRAPPER_CONSTRUCTORS = Registry("optim_wrapper_constructor", scope=ROOT_SCOPE)
PARAM_SCHEDULERS = Registry(
    "param_scheduler", build_func=build_scheduler_from_cfg, scope=ROOT_SCOPE
)

METRICS = Registry("metric", scope=ROOT_SCOPE)
EVALUATOR = Registry("evaluator", scope=ROOT_SCOPE)
# Parts of a task, such as box coders, anchor generators and assigners.
TASK_UTILS = Registry("task_util", scope=ROOT_SCOPE)
INFERENCERS = Registry("inferencer", scope=ROOT_SCOPE)

VISUALIZERS = Registry("visualizer", scope=ROOT_SCOPE)
VISBACKENDS = Registry("vis_backend", scope=ROOT_SCOPE)
