"""Types that several modules of this package name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.optim import Optimizer
    from torch.utils.data import DataLoader

    from eng.config import Config
    from eng.evaluator import BaseMetric, Evaluator
    from eng.hooks import Hook
    from eng.optim import OptimWrapper, _ParamScheduler
    from eng.registry import PartConfig

__all__ = [
    "EvaluatorOrConfig",
    "Hooks",
    "HooksByName",
    "Loader",
    "LoaderOrConfig",
    "OptimizerOrConfig",
    "PartState",
    "RunConfig",
    "Schedulers",
    "SchedulersOrConfigs",
    "Settings",
    "StorageSettings",
]

#: Settings by name, as a config has them: their values are of any type until they are checked.
Settings: TypeAlias = Mapping[str, Any]

#: The config of a run.
RunConfig: TypeAlias = "Config | dict[str, Any]"

#: A data loader of any kind: torch's, torchdata's, or whatever yields batches and has nothing else.
Loader: TypeAlias = Any

#: A data loader, or its config.
LoaderOrConfig: TypeAlias = "DataLoader[Any] | PartConfig"

#: An evaluator, its config, or the metrics that it is to have.
EvaluatorOrConfig: TypeAlias = (
    "Evaluator | BaseMetric | dict[str, Any] | Sequence[BaseMetric | dict[str, Any]]"
)

#: An optimizer wrapper, its config, or an optimizer of torch.
OptimizerOrConfig: TypeAlias = "OptimWrapper | Optimizer | PartConfig"

#: Parameter schedulers; of several optimizers, by the name of the optimizer.
Schedulers: TypeAlias = "list[_ParamScheduler] | dict[str, list[_ParamScheduler]]"

#: Parameter schedulers or their configs: one, a list, or either by the name of the optimizer.
SchedulersOrConfigs: TypeAlias = (
    "_ParamScheduler | PartConfig | Sequence[_ParamScheduler | PartConfig]"
)

#: Hooks or their configs.
Hooks: TypeAlias = "Sequence[Hook | PartConfig]"

#: Hooks or their configs by name; None drops one of the default hooks.
HooksByName: TypeAlias = "Mapping[str, Hook | PartConfig | None]"

#: Settings of a storage: ``backend_args``.
StorageSettings: TypeAlias = "dict[str, Any]"

#: The state of a part of a run: plain data and tensors, of a form that the part alone knows.
PartState: TypeAlias = Any
