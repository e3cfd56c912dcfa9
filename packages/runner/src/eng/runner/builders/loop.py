"""Build loops and evaluators from configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from eng.dataset import has_named_loaders
from eng.evaluator import Evaluator
from eng.registry import EVALUATOR, LOOPS, PartConfig

from ..arguments import check_names_loop
from ..base_loop import BaseLoop
from ..errors import RunnerTypeError
from ..named_loop import NamedLoop
from ..named_sets import (
    are_by_name,
    composes_sets,
    evaluators_by_name,
    keep_files_apart,
)
from ..protocol import LoopRunner
from ..types import EvaluatorOrConfig, LoaderOrConfig

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["build_eval_loop", "build_evaluator", "build_train_loop"]


class EvalParts(Protocol):
    """Parts of an evaluating loop, beside its own settings."""

    @property
    def dataloader(self) -> LoaderOrConfig | None:
        """The data loader or its config."""

    @property
    def partner(self) -> object:
        """The evaluator or its config."""


def build_train_loop(
    runner: LoopRunner, loop: BaseLoop | PartConfig, dataloader: LoaderOrConfig | None
) -> BaseLoop:
    """Build a training loop.

    Args:
        runner: The runner that it belongs to.
        loop: The loop, which is returned as it is, or its config.
        dataloader: The data loader, or its config.

    Returns:
        The loop.

    Raises:
        RunnerConfigError: If the config has neither ``type`` nor ``by_epoch``, or both, or it is
            neither a loop nor a config.
    """
    if isinstance(loop, BaseLoop):
        return loop
    if not isinstance(loop, Mapping):
        raise RunnerTypeError(f"train_cfg must be a dict or a loop, not {type(loop).__name__}")
    check_names_loop(loop)
    cfg = dict(loop)
    if "type" not in cfg:
        by_epoch = cfg.pop("by_epoch")
        cfg["type"] = "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop"
    return LOOPS.build(cfg, default_args={"runner": runner, "dataloader": dataloader})


def build_eval_loop(
    runner: LoopRunner, loop: BaseLoop | PartConfig, default: str, parts: EvalParts
) -> BaseLoop:
    """Build a loop that evaluates.

    Args:
        runner: The runner that it belongs to.
        loop: The loop, which is returned as it is, or its config.
        default: The ``type`` of a config without one, ``'ValLoop'`` or ``'TestLoop'``.
        parts: Its data loader and evaluator, or their configs. Data loaders by the name of their
            set are evaluated one after the other, see :class:`NamedLoop`.

    Returns:
        The loop.

    Raises:
        RunnerConfigError: If the evaluators are by name, but not by those of the data loaders.
    """
    if isinstance(loop, BaseLoop):
        return loop
    if not isinstance(loop, Mapping):
        raise RunnerTypeError(f"a loop must be a BaseLoop or a config, not {type(loop).__name__}")
    cfg = {"type": default, **loop}
    if has_named_loaders(parts.dataloader) and composes_sets(cfg, default):
        return _build_named_loop(runner, cfg, default, parts)
    defaults = {"runner": runner, "dataloader": parts.dataloader, "evaluator": parts.partner}
    return LOOPS.build(cfg, default_args=defaults)


def _build_named_loop(
    runner: LoopRunner, cfg: PartConfig, default: str, parts: EvalParts
) -> NamedLoop:
    """Build a loop for each of the named data loaders."""
    mode = "val" if default == "ValLoop" else "test"
    loaders: PartConfig = parts.dataloader  # type: ignore[assignment]
    evaluators = evaluators_by_name(mode, loaders, parts.partner)
    loops = {}
    for name, loader in loaders.items():
        defaults = {"runner": runner, "dataloader": loader, "evaluator": evaluators[name]}
        loops[name] = LOOPS.build(dict(cfg), default_args=defaults)
        if not are_by_name(parts.partner):
            keep_files_apart(loops[name].evaluator, name)
    return NamedLoop(runner, mode, loops)


def build_evaluator(evaluator: EvaluatorOrConfig) -> Evaluator:
    """Build an evaluator.

    Args:
        evaluator: An evaluator, which is returned as it is; a metric, its config, or a list of
            these; or a dict with ``metrics``.

    Returns:
        The evaluator.
    """
    if _is_evaluator(evaluator):
        return evaluator
    if isinstance(evaluator, Mapping) and "metrics" in evaluator:
        return EVALUATOR.build({"type": "Evaluator", **evaluator})
    return Evaluator(evaluator)


def _is_evaluator(value: object) -> TypeIs[Evaluator]:
    """Whether a value can evaluate, of any class."""
    return hasattr(value, "evaluate") and hasattr(value, "metrics")
