"""Check the settings of a run that are values, not parts."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from eng.dist import is_distributed
from eng.registry import Problem, check_arguments
from eng.utils import UserError

from .environment import seed_everything
from .parallel import check_parallel
from .types import Settings

__all__ = ["check_loader_values", "check_values"]

#: Problems with the keys of their settings.
Problems: TypeAlias = "Iterator[tuple[tuple[str, ...], Problem]]"

_SCALARS = (bool, int, float, str)
_LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DICTS = {
    "model": "a dict or a module",
    "data_preprocessor": "a dict or a module",
    "default_hooks": "a dict of hooks by name",
    "visualizer": "a dict or a visualizer",
    "log_processor": "a dict or a log processor",
    "randomness": "a dict",
    "env_cfg": "a dict",
}
_OF_MODES = {
    "cfg": "a dict or a loop",
    "dataloader": "a dict or a data loader",
    "evaluator": "a dict, a metric or a list of these",
}


def check_values(settings: Settings, modes: Collection[str]) -> Problems:
    """Check the settings of a run that are values, and the kinds of those that are parts.

    Args:
        settings: Config of the run.
        modes: What the run is to do.

    Yields:
        The problems.
    """
    yield from _check_kinds(settings, modes)
    launcher = settings.get("launcher", "none")
    if isinstance(launcher, str) and launcher not in _LAUNCHERS and not is_distributed():
        yield _refuse(("launcher",), launcher, _LAUNCHERS)
    level = settings.get("log_level", "INFO")
    if isinstance(level, str) and not isinstance(logging.getLevelName(level.upper()), int):
        yield _refuse(("log_level",), level, _LEVELS)
    if not isinstance(settings.get("work_dir", ""), (str, os.PathLike, type(None))):
        yield ("work_dir",), _must("a path", settings["work_dir"])
    resume = settings.get("resume", False)
    if isinstance(resume, str) and resume != "auto" and not set(resume) & set("/."):
        problem = _must("True, False, 'auto' or the path of a checkpoint", resume)
        yield ("resume",), problem._replace(is_certain=False)
    yield from _check_randomness(settings.get("randomness"))
    try:
        check_parallel(settings)
    except UserError as error:
        message = str(error).removeprefix("parallel has").removeprefix("parallel:").strip()
        yield ("parallel",), Problem((), message, is_value=True)


def check_loader_values(path: tuple[str, ...], cfg: Settings) -> Problems:
    """Check the numbers of a data loader.

    Args:
        path: Keys that lead to it.
        cfg: Its config.

    Yields:
        The problems.
    """
    for name, least in (("batch_size", 1), ("num_workers", 0)):
        value = cfg.get(name, least)
        if isinstance(value, _SCALARS) and (not isinstance(value, int) or value < least):
            yield (*path, name), _must(f"an integer of at least {least}", value)
    dataset = cfg.get("dataset")
    if isinstance(dataset, (bool, int, float)):
        yield (*path, "dataset"), _must("a dict or a dataset", dataset)


def _check_kinds(settings: Settings, modes: Collection[str]) -> Problems:
    kinds = dict(_DICTS)
    for mode in modes:
        kinds |= {f"{mode}_{name}": text for name, text in _OF_MODES.items()}
    if "train" in modes:
        kinds["optim_wrapper"] = "a dict or an optimizer wrapper"
        kinds["param_scheduler"] = "a dict, a scheduler or a list of these"
    for name, text in kinds.items():
        value = settings.get(name)
        if isinstance(value, _SCALARS):
            yield (name,), _must(text, value)
    hooks = settings.get("custom_hooks")
    if isinstance(hooks, (*_SCALARS, Mapping)):
        yield ("custom_hooks",), _must("a list of hooks", hooks)
    elif isinstance(hooks, (list, tuple)):
        for index, each in enumerate(hooks):
            if isinstance(each, _SCALARS):
                yield ("custom_hooks", str(index)), _must("a dict or a hook", each)


def _check_randomness(randomness: object) -> Problems:
    if not isinstance(randomness, Mapping):
        return
    for each in check_arguments(seed_everything, randomness, only_names=True):
        unknown = each.message.partition("has no argument ")[2]
        is_seed = each.path == ("seed",) and isinstance(randomness["seed"], str)
        message = f"no setting {unknown}" if unknown else each.message
        yield (
            ("randomness",),
            each._replace(message=message, is_certain=each.is_certain or is_seed),
        )


def _refuse(
    path: tuple[str, ...], value: str, known: tuple[str, ...]
) -> tuple[tuple[str, ...], Problem]:
    folded = {each.lower(): each for each in known}
    near = difflib.get_close_matches(value.lower(), folded, 1)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    return path, _must(" or ".join(map(repr, known)), value, hint)


def _must(what: str, value: object, hint: str = "") -> Problem:
    shown = repr(value) if isinstance(value, _SCALARS) else f"a {type(value).__name__}"
    return Problem((), f"must be {what}, not {shown}{hint}", is_value=True)
