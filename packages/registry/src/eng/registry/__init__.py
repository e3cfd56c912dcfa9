"""Registries of classes and functions by name, and objects built from config dicts."""

from typing import TYPE_CHECKING

from .build import build_from_cfg
from .builders import (
    build_model_from_cfg,
    build_optimizer_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
)
from .kinds import Kind
from .listing import RegisteredName, list_registered
from .part_config import PartConfig, PartOrConfig
from .registry import NotRegisteredError, Registry, WrongKindError
from .report import count_registered_modules, traverse_registry_tree
from .root import (
    COLLATE_FUNCTIONS,
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    FSDP_WRAP_POLICIES,
    FUNCTIONS,
    HOOKS,
    INFERENCERS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODEL_WRAPPERS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    RUNNER_CONSTRUCTORS,
    RUNNERS,
    STRATEGIES,
    TASK_UTILS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    WEIGHT_INITIALIZERS,
)
from .scope import DefaultScope, init_default_scope

if TYPE_CHECKING:
    from .check import Problem, check_arguments, check_part
    from .parameters import Parameters, read_parameters
else:
    from eng.utils import lazy_modules

    # Late, since they are of use only before something is built from a config.
    _LATE = {
        ".check": ("Problem", "check_arguments", "check_part"),
        ".parameters": ("Parameters", "read_parameters"),
    }
    __getattr__, __dir__ = lazy_modules(__name__, _LATE)

__version__: str  # see _version.py

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
    "STRATEGIES",
    "TASK_UTILS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "WEIGHT_INITIALIZERS",
    "DefaultScope",
    "Kind",
    "NotRegisteredError",
    "Parameters",
    "PartConfig",
    "PartOrConfig",
    "Problem",
    "RegisteredName",
    "Registry",
    "WrongKindError",
    "build_from_cfg",
    "build_model_from_cfg",
    "build_optimizer_from_cfg",
    "build_runner_from_cfg",
    "build_scheduler_from_cfg",
    "check_arguments",
    "check_part",
    "count_registered_modules",
    "init_default_scope",
    "list_registered",
    "read_parameters",
    "traverse_registry_tree",
]
