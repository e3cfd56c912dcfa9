"""The root registries. Their names are the entry names of the entry-point group `eng.modules`."""

from .builders import (
    build_model_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
)
from .kinds import Kind
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
    "STRATEGIES",
    "TASK_UTILS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "WEIGHT_INITIALIZERS",
]

#: Runners: what ``runner_type`` of a config names.
RUNNERS = Registry(
    "runner",
    build_func=build_runner_from_cfg,
    scope=ROOT_SCOPE,
    kind=Kind("a runner (a class with from_cfg)", members=(("from_cfg",),)),
)
#: Builders of a runner in another way than ``Runner.from_cfg``.
RUNNER_CONSTRUCTORS = Registry("runner_constructor", scope=ROOT_SCOPE, kind=Kind("a class"))
#: Training, validation and test loops: ``type`` of ``train_cfg``, ``val_cfg``, ``test_cfg``.
LOOPS = Registry(
    "loop",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a loop (a class with run, such as eng.runner.BaseLoop)",
        members=(("run",),),
        excluded=("forward",),
    ),
)
#: Hooks: entries of ``default_hooks`` and ``custom_hooks``.
HOOKS = Registry(
    "hook",
    scope=ROOT_SCOPE,
    kind=Kind("a hook (a subclass of eng.hooks.Hook)", members=(("priority",),)),
)
#: Log processors: ``log_processor``.
LOG_PROCESSORS = Registry(
    "log_processor",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a log processor (a class with get_log_after_iter and get_log_after_epoch)",
        members=(("get_log_after_iter", "get_log_after_epoch"),),
    ),
)

#: Datasets and their wrappers: ``dataset`` of a data loader.
DATASETS = Registry(
    "dataset",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a dataset (a class with __getitem__ or __iter__)",
        members=(("__getitem__",), ("__iter__",)),
        # Containers of modules, and arrays and files, whose creation may overwrite data.
        excluded=("forward", "__array__", "flush"),
    ),
)
#: Samplers and batch samplers of data loaders.
DATA_SAMPLERS = Registry(
    "data_sampler",
    scope=ROOT_SCOPE,
    kind=Kind("a sampler (a class with __iter__)", members=(("__iter__",),), excluded=("forward",)),
)
#: Transforms: entries of the ``pipeline`` of a dataset.
TRANSFORMS = Registry(
    "transform",
    scope=ROOT_SCOPE,
    kind=Kind("a transform (a class with __call__)", members=(("__call__",),)),
)
#: Functions, such as ``collate_fn`` and ``worker_init_fn`` of a data loader.
FUNCTIONS = Registry("function", scope=ROOT_SCOPE, kind=Kind("a function", functions=True))
#: Older name of ``FUNCTIONS``, the same registry.
COLLATE_FUNCTIONS = FUNCTIONS

#: Models and their parts, preprocessors and averaged models.
MODELS = Registry(
    "model",
    build_func=build_model_from_cfg,
    scope=ROOT_SCOPE,
    kind=Kind(
        "a model (a subclass of torch.nn.Module)",
        members=(("forward", "parameters", "state_dict"),),
    ),
)
#: Wrappers of a model for several processes: ``model_wrapper_cfg``.
MODEL_WRAPPERS = Registry(
    "model_wrapper",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a model wrapper (a subclass of torch.nn.Module)",
        members=(("forward", "parameters", "state_dict"),),
    ),
)
#: Initializers of weights: entries of ``init_cfg``.
WEIGHT_INITIALIZERS = Registry(
    "weight_initializer",
    scope=ROOT_SCOPE,
    kind=Kind(
        "an initializer (a class with __call__)", members=(("__call__",),), excluded=("forward",)
    ),
)
#: Functions that choose the modules which FSDP wraps.
FSDP_WRAP_POLICIES = Registry(
    "fsdp_wrap_policy",
    scope=ROOT_SCOPE,
    kind=Kind("a wrapping policy (a function)", functions=True),
)

#: Optimizers: ``optim_wrapper.optimizer``.
OPTIMIZERS = Registry(
    "optimizer",
    scope=ROOT_SCOPE,
    kind=Kind(
        "an optimizer (a subclass of torch.optim.Optimizer)",
        members=(("step", "zero_grad", "state_dict"),),
    ),
)
#: Wrappers of optimizers: ``optim_wrapper``.
OPTIM_WRAPPERS = Registry(
    "optim_wrapper",
    scope=ROOT_SCOPE,
    kind=Kind("an optimizer wrapper (a class with update_params)", members=(("update_params",),)),
)
#: Builders of optimizer wrappers: ``optim_wrapper.constructor``.
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    "optim_wrapper_constructor",
    scope=ROOT_SCOPE,
    kind=Kind(
        "an optimizer wrapper constructor (a class with __call__)",
        members=(("__call__",),),
        excluded=("forward",),
    ),
)
#: Schedulers of learning rates and other parameters: ``param_scheduler``.
PARAM_SCHEDULERS = Registry(
    "param_scheduler",
    build_func=build_scheduler_from_cfg,
    scope=ROOT_SCOPE,
    kind=Kind(
        "a scheduler (a class with step and get_last_value or get_last_lr)",
        members=(("step", "get_last_value"), ("step", "get_last_lr")),
    ),
)

#: Metrics: entries of ``val_evaluator`` and ``test_evaluator``.
METRICS = Registry(
    "metric",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a metric (a class with process and evaluate, or update and compute)",
        members=(("process", "evaluate"), ("update", "compute")),
    ),
)
#: Evaluators, which call metrics: ``type`` of an evaluator config.
EVALUATOR = Registry(
    "evaluator",
    scope=ROOT_SCOPE,
    kind=Kind(
        "an evaluator (a class with process and evaluate)", members=(("process", "evaluate"),)
    ),
)
#: Components of a task, such as box coders, anchor generators and assigners.
TASK_UTILS = Registry("task_util", scope=ROOT_SCOPE, kind=Kind("a class"))
#: Strategies, by which configs of the OpenMMLab family name ways to train.
STRATEGIES = Registry("strategy", scope=ROOT_SCOPE, kind=Kind("a class"))
#: Inferencers: ``inferencer`` of a config.
INFERENCERS = Registry("inferencer", scope=ROOT_SCOPE, kind=Kind("a class"))

#: Visualizers: ``visualizer``.
VISUALIZERS = Registry(
    "visualizer",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a visualizer (a subclass of eng.vis.Visualizer)",
        members=(("add_datasample", "add_scalars"),),
    ),
)
#: Backends of visualizers: ``visualizer.vis_backends``.
VISBACKENDS = Registry(
    "vis_backend",
    scope=ROOT_SCOPE,
    kind=Kind(
        "a visualizer backend (a subclass of eng.vis.BaseVisBackend)",
        members=(("experiment", "add_scalars"),),
    ),
)
