"""Check the arguments of a runner."""

from __future__ import annotations

import copy
import difflib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from torch import nn

from eng.config import Config
from eng.dl_utils import unwrap

from .base_loop import BaseLoop
from .counts import check_count
from .errors import RunnerAssertionError, RunnerConfigError, RunnerTypeError
from .known_settings import check_flag, check_settings
from .model_features import check_model_features
from .out_of_memory import check_on_oom
from .parallel import check_parallel
from .types import RunConfig, Settings

__all__ = [
    "as_config",
    "check_intervals",
    "check_keys",
    "check_loop",
    "check_names_loop",
    "check_resume",
    "check_resume_schedule",
    "check_run",
    "check_schedules",
    "check_steps",
    "check_together",
    "checks_of_values",
    "given_arguments",
    "split_resume",
    "warn_of_close_names",
    "with_preprocessor",
]

ModelT = TypeVar("ModelT")

#: Settings of the training loops that are counts, with the least that each may be.
_OWN_LOOPS = ("EpochBasedTrainLoop", "IterBasedTrainLoop")
_COUNTS = {"max_epochs": 1, "max_iters": 1, "val_begin": 0, "val_interval": 1}


def as_config(cfg: RunConfig | None) -> Config:
    """Copy the config of a runner, so that it may keep it.

    Args:
        cfg: A config, a dict, or None.

    Returns:
        The config, empty for None.
    """
    return copy.deepcopy(cfg) if isinstance(cfg, Config) else Config(copy.deepcopy(cfg or {}))


def check_run(cfg: Settings, param_scheduler: object, optim_wrapper: object) -> None:
    """Refuse settings of a run that would otherwise fail only when they are used.

    Args:
        cfg: The config of the run.
        param_scheduler: Schedules, or None.
        optim_wrapper: The optimizer wrapper, or None.

    Raises:
        RunnerConfigError: If there are schedules without an optimizer wrapper, ``resume_schedule``
            is neither ``'checkpoint'`` nor ``'config'``, ``on_oom`` is invalid, or
            ``progress_bar`` or a setting of the model for training is of a wrong type.
    """
    check_schedules(param_scheduler, optim_wrapper)
    check_model_features(cfg)
    check_on_oom(cfg)
    check_parallel(cfg)
    check_flag(cfg, "keep_global_batch")
    check_flag(cfg, "progress_bar")
    check_resume_schedule(cfg)


def check_schedules(param_scheduler: object, optim_wrapper: object) -> None:
    """Refuse schedules without an optimizer wrapper.

    Args:
        param_scheduler: Schedules, or None.
        optim_wrapper: The optimizer wrapper, or None.

    Raises:
        RunnerConfigError: If there are schedules alone.
    """
    if param_scheduler is not None and optim_wrapper is None:
        raise RunnerConfigError(
            "param_scheduler needs an optim_wrapper whose settings it schedules"
        )


def check_resume(load_from: str | None, resume: bool | str) -> None:
    """Refuse a checkpoint to resume from together with one to start from.

    Args:
        load_from: Path or address of a checkpoint, or None.
        resume: Whether to resume, or the path of a checkpoint.

    Raises:
        RunnerConfigError: If both are paths.
    """
    if isinstance(resume, str) and resume != "auto" and load_from is not None:
        raise RunnerConfigError(
            f"resume={resume!r} names the checkpoint to resume from: leave out "
            f"load_from={load_from!r}"
        )


def split_resume(load_from: str | None, resume: bool | str) -> tuple[str | None, bool | str]:
    """Split a path to resume from into ``load_from`` and ``resume=True``.

    Args:
        load_from: Path or address of a checkpoint, or None.
        resume: Whether to resume, ``'auto'``, or the path of a checkpoint.

    Returns:
        The checkpoint to start from, and whether to resume.

    Raises:
        RunnerConfigError: If both are paths.
    """
    check_resume(load_from, resume)
    if isinstance(resume, str) and resume not in ("", "auto"):
        return resume, True
    return load_from, resume


def check_resume_schedule(cfg: Settings) -> None:
    """Refuse an unknown ``resume_schedule``.

    Args:
        cfg: The config of the run.

    Raises:
        RunnerConfigError: If it is unknown.
    """
    given = cfg.get("resume_schedule", "checkpoint")
    if given not in ("checkpoint", "config"):
        raise RunnerConfigError(
            f"resume_schedule must be 'checkpoint' or 'config', not {given!r}: whose settings a "
            "changed schedule follows when the run is resumed"
        )


def check_together(mode: str, parts: Settings) -> None:
    """Refuse some of the parts that a mode needs without the others.

    Args:
        mode: ``'train'``, ``'val'`` or ``'test'``.
        parts: The parts by the name of the argument, None where one is missing.

    Raises:
        RunnerConfigError: If some are given and others not.
    """
    missing = [name for name, part in parts.items() if part is None]
    if missing and len(missing) < len(parts):
        given = [name for name in parts if name not in missing]
        raise RunnerConfigError(
            f"{', '.join(given)} given, but not {', '.join(missing)}: for {mode} give all of "
            f"{', '.join(parts)}, or none of them"
        )


def check_loop(name: str, value: object) -> None:
    """Refuse values that are neither a loop nor its config, and invalid counts of our loops.

    Args:
        name: Name of the argument.
        value: The loop, its config, or None.

    Raises:
        RunnerConfigError: If it is so.
    """
    if value is not None and not isinstance(value, (Mapping, BaseLoop)):
        raise RunnerTypeError(f"{name} must be a dict or a loop, not {type(value).__name__}")
    if name == "train_cfg" and isinstance(value, Mapping):
        _check_train_cfg(value)


def _check_train_cfg(cfg: Settings) -> None:
    """Refuse settings that the training loops of this package would refuse when they are built."""
    check_names_loop(cfg)
    if not _is_of_own_loop(cfg):
        return
    by_epoch = cfg.get("type") == _OWN_LOOPS[0] or cfg.get("by_epoch")
    end = "max_epochs" if by_epoch else "max_iters"
    if end not in cfg:
        raise RunnerConfigError(f"train_cfg needs {end!r}; it has {sorted(cfg)}")
    known = ["type", "by_epoch", end, "val_begin", "val_interval", "dynamic_intervals"]
    # A base of another package sets `_scope_` (`_base_ = 'mmseg::…'`).
    check_settings("train_cfg", {key: cfg[key] for key in cfg if key != "_scope_"}, known)
    for check in checks_of_values(cfg):
        check()


def checks_of_values(cfg: Settings) -> Iterator[Callable[[], object]]:
    """Yield a check for each value of the config of a training loop of this package.

    Args:
        cfg: The config; one of a third-party loop has settings of its own.

    Yields:
        Functions that raise a :class:`RunnerConfigError` for an invalid value.
    """
    if not _is_of_own_loop(cfg):
        return
    for key, least in _COUNTS.items():
        if key in cfg:
            yield partial(check_count, key, cfg[key], least)
    yield partial(check_intervals, cfg.get("dynamic_intervals"))


def _is_of_own_loop(cfg: Settings) -> bool:
    return "type" not in cfg or cfg["type"] in _OWN_LOOPS


def check_names_loop(cfg: Settings) -> None:
    """Refuse the config of a training loop that does not say which one it is of.

    Args:
        cfg: The config.

    Raises:
        RunnerConfigError: If it has neither ``type`` nor ``by_epoch``, or both.
    """
    if ("type" in cfg) == ("by_epoch" in cfg):
        raise RunnerConfigError(
            f"train_cfg needs either 'by_epoch' or 'type'; it has {sorted(cfg)}"
        )


def check_intervals(dynamic_intervals: Iterable[object] | None) -> list[tuple[int, int]]:
    """Refuse values that are not pairs of a milestone and an interval.

    Args:
        dynamic_intervals: The pairs, or None.

    Returns:
        The pairs.

    Raises:
        RunnerConfigError: If they are not.
    """
    pairs = []
    for pair in dynamic_intervals or []:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise RunnerAssertionError(
                "train_cfg: dynamic_intervals must be pairs of a milestone and an interval, "
                f"got {pair!r}"
            )
        milestone = check_count("dynamic_intervals: a milestone", pair[0], least=0)
        pairs.append((milestone, check_count("dynamic_intervals: an interval", pair[1])))
    return pairs


def check_keys(
    cfg: Settings, arguments: Sequence[str], required: Sequence[str] = ("model", "work_dir")
) -> None:
    """Refuse a config without required keys, and warn of keys that look like misspelt arguments.

    Args:
        cfg: The config. Other keys are allowed, as variables of its own.
        arguments: Names of the arguments of the runner.
        required: Names of those without a default. Defaults to ``model`` and ``work_dir``.

    Raises:
        RunnerConfigError: If one of these is missing.
    """
    for name in required:
        if name not in cfg:
            raise RunnerConfigError(f"the config has no {name!r}, which a runner needs")
    # Of those of the command line, merging them has warned.
    keys = [key for key in cfg if not _is_of_command_line(cfg, key)]
    warn_of_close_names("the config", keys, arguments, "an argument of the runner")


def _is_of_command_line(cfg: Settings, key: str) -> bool:
    try:
        return isinstance(cfg, Config) and cfg.origin(key).by == "the command line"
    except KeyError:  # with a dot
        return False


def warn_of_close_names(
    where: str, keys: Iterable[object], known: Sequence[str], kind: str
) -> None:
    """Warn once of each key that is not known but looks like one that is.

    Args:
        where: Name of the mapping with the keys, for the message.
        keys: The keys.
        known: Valid names.
        kind: Kind of the valid names, for the message.
    """
    for key in keys:
        close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.85)
        if key not in known and close:
            warnings.warn(
                f"{where} has {key!r}, which is not {kind}: did you mean {close[0]!r}?",
                UserWarning,
                stacklevel=4,
            )


def with_preprocessor(
    model: ModelT, data_preprocessor: nn.Module | Settings | None
) -> ModelT | Settings:
    """Put the config of the data preprocessor into that of a model which has none.

    Args:
        model: The model, or its config.
        data_preprocessor: The data preprocessor, or its config, or None.

    Returns:
        The model, or its config.
    """
    if isinstance(model, Mapping) and data_preprocessor is not None:
        return {"data_preprocessor": data_preprocessor, **model}
    return model


def check_steps(model: nn.Module, *steps: str) -> None:
    """Refuse a model that lacks a step.

    Args:
        model: The model, possibly wrapped.
        *steps: Names of steps, such as ``'train_step'``.

    Raises:
        RunnerConfigError: If one is missing.
    """
    inner = unwrap(model)
    for step in steps:
        if not hasattr(inner, step):
            raise RunnerConfigError(
                f"{type(inner).__name__} has no {step}(): implement it, wrap the module as "
                "eng.model.ModelWithLoss(module, loss), or derive the class from "
                "eng.model.BaseModel, whose forward(inputs, data_samples=None, mode='tensor') "
                "returns dict(loss=...) in mode 'loss' and a prediction per sample in mode "
                "'predict'"
            )


def given_arguments(
    cfg: Settings, arguments: Sequence[str], required: Sequence[str] = ("model", "work_dir")
) -> Settings:
    """Pick the arguments of a runner from a config.

    Args:
        cfg: The config, in which other keys are allowed as well.
        arguments: Names of all arguments.
        required: Names of those without a default. Defaults to ``model`` and ``work_dir``.

    Returns:
        Values by name. An ``env_cfg`` of None is left out, so that the default is used.

    Raises:
        RunnerConfigError: If one without a default is missing.
    """
    check_keys(cfg, arguments, required)
    names = [name for name in arguments if name in cfg]
    return {name: cfg[name] for name in names if (name, cfg[name]) != ("env_cfg", None)}
