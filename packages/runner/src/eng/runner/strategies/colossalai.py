"""Names of the strategy of ColossalAI, which say that it is not available."""

from __future__ import annotations

from typing import Any, NoReturn

from torch import nn
from torch.optim import Optimizer

from eng.optim import OptimWrapper
from eng.registry import MODEL_WRAPPERS, OPTIM_WRAPPERS, STRATEGIES, PartConfig

from ..errors import RunnerConfigError
from ..types import Settings
from .distributed import DDPStrategy

__all__ = ["ColossalAIModelWrapper", "ColossalAIOptimWrapper", "ColossalAIStrategy"]


@STRATEGIES.register_module()
class ColossalAIStrategy(DDPStrategy):
    """Raises an error: ColossalAI is not run by eng.

    Args:
        config: Config of ColossalAI. Defaults to None.
        mixed_precision: Name or config of a mixed precision. Defaults to None.
        plugin: ``'gemini'``, ``'lowlevel-zero'`` or a config. Defaults to ``'gemini'``.
        model_wrapper: Config of the wrapper. Defaults to None.
        **kwargs: Arguments of :class:`BaseStrategy`.

    Raises:
        RunnerConfigError: Always; it names strategies that do the same.
    """

    def __init__(
        self,
        *,
        config: str | Settings | None = None,
        mixed_precision: str | Settings | None = None,
        plugin: str | Settings = "gemini",
        model_wrapper: PartConfig | None = None,
        **kwargs: Any,
    ) -> None:
        _refuse("ColossalAIStrategy")


@OPTIM_WRAPPERS.register_module()
class ColossalAIOptimWrapper(OptimWrapper):
    """Raises an error: ColossalAI is not run by eng.

    Args:
        optimizer: The optimizer.
        booster: The booster of ColossalAI. Defaults to None.
        accumulative_counts: Iterations of an update. Defaults to 1.

    Raises:
        RunnerConfigError: Always; it names strategies that do the same.
    """

    def __init__(
        self, optimizer: Optimizer, booster: object = None, accumulative_counts: int = 1
    ) -> None:
        _refuse("ColossalAIOptimWrapper")


@MODEL_WRAPPERS.register_module()
class ColossalAIModelWrapper:
    """Raises an error: ColossalAI is not run by eng.

    Args:
        model_wrapper: The model as ColossalAI wraps it.
        model: The model.

    Raises:
        RunnerConfigError: Always; it names strategies that do the same.
    """

    def __init__(self, model_wrapper: nn.Module, model: nn.Module) -> None:
        _refuse("ColossalAIModelWrapper")


def _refuse(name: str) -> NoReturn:
    raise RunnerConfigError(
        f"{name} needs colossalai, which eng does not run. To shard parameters and states of the "
        "optimizer, use strategy=dict(type='FSDPStrategy'), or dict(type='DeepSpeedStrategy', "
        "zero_optimization=dict(stage=3)) with optim_wrapper=dict(type='DeepSpeedOptimWrapper')"
    )
