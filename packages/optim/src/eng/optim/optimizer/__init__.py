"""Optimizer wrappers and their construction."""

from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

from .accumulation import average_gradients
from .amp_optimizer_wrapper import AmpOptimWrapper
from .base import BaseOptimWrapper
from .batch_counts import count_samples, count_tokens
from .builder import TORCH_OPTIMIZERS, build_optim_wrapper
from .default_constructor import DefaultOptimWrapperConstructor
from .evaluating import evaluation_mode
from .foreign import (
    BITSANDBYTES_OPTIMIZERS,
    DADAPTATION_OPTIMIZERS,
    LION_OPTIMIZERS,
    SOPHIA_OPTIMIZERS,
    TRANSFORMERS_OPTIMIZERS,
)
from .loss_normalizer import LossNormalizer
from .micro_batches import MicroBatches
from .optimizer_wrapper import OptimWrapper
from .optimizer_wrapper_dict import OptimWrapperDict

__all__ = [
    "BITSANDBYTES_OPTIMIZERS",
    "DADAPTATION_OPTIMIZERS",
    "LION_OPTIMIZERS",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "SOPHIA_OPTIMIZERS",
    "TORCH_OPTIMIZERS",
    "TRANSFORMERS_OPTIMIZERS",
    "AmpOptimWrapper",
    "BaseOptimWrapper",
    "DefaultOptimWrapperConstructor",
    "LossNormalizer",
    "MicroBatches",
    "OptimWrapper",
    "OptimWrapperDict",
    "average_gradients",
    "build_optim_wrapper",
    "count_samples",
    "count_tokens",
    "evaluation_mode",
]
