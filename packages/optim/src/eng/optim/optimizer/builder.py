"""Register the optimizers of torch, and build optimizer wrappers."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS, PartConfig

from .foreign import adafactor, register_foreign_optimizers
from .optimizer_wrapper import OptimWrapper

__all__ = ["TORCH_OPTIMIZERS", "build_optim_wrapper"]


def _register_torch_optimizers() -> list[str]:
    names = []
    for name, cls in vars(torch.optim).items():
        if inspect.isclass(cls) and issubclass(cls, Optimizer) and cls is not Optimizer:
            # The name "Adafactor" is taken, see foreign.py.
            name = "TorchAdafactor" if name == "Adafactor" else name  # noqa: PLW2901
            OPTIMIZERS.register_module(module=cls, name=name)
            names.append(name)
    OPTIMIZERS.register_module(module=adafactor, name="Adafactor")
    return names


@OPTIMIZERS.register_module(name="ZeroRedundancyOptimizer")
def _build_zero_optimizer(params: ParamsT, *args: Any, **kwargs: Any) -> Optimizer:
    """Build the optimizer, whose module is slow to import, lazily."""
    from .zero_optimizer import ZeroRedundancyOptimizer

    return ZeroRedundancyOptimizer(params, *args, **kwargs)


#: Names of the optimizers of torch, all registered in ``OPTIMIZERS``.
TORCH_OPTIMIZERS = _register_torch_optimizers()
register_foreign_optimizers()


def build_optim_wrapper(model: nn.Module, cfg: PartConfig) -> OptimWrapper:
    """Build an optimizer wrapper for a model.

    Args:
        model: The model whose parameters are updated.
        cfg: Config of the wrapper with ``optimizer`` and optionally ``paramwise_cfg`` and
            ``constructor``, the name of a class in ``OPTIM_WRAPPER_CONSTRUCTORS``, which defaults
            to ``DefaultOptimWrapperConstructor``. It is not changed.

    Returns:
        The wrapper.
    """
    wrapper_cfg = dict(cfg)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        {
            "type": wrapper_cfg.pop("constructor", "DefaultOptimWrapperConstructor"),
            "paramwise_cfg": wrapper_cfg.pop("paramwise_cfg", None),
            "optim_wrapper_cfg": wrapper_cfg,
        }
    )
    return constructor(model)
