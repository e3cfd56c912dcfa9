"""Build the parts of a run from configs."""

from .dataloader import build_dataloader
from .loop import build_eval_loop, build_evaluator, build_train_loop
from .model import build_model, synchronise_norms
from .optim import build_optim_wrapper, build_param_scheduler, scale_learning_rate

__all__ = [
    "build_dataloader",
    "build_eval_loop",
    "build_evaluator",
    "build_model",
    "build_optim_wrapper",
    "build_param_scheduler",
    "build_train_loop",
    "scale_learning_rate",
    "synchronise_norms",
]
