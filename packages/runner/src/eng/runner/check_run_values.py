"""Find the settings that a runner refuses when it is made, with their keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from eng.registry import Problem
from eng.utils import UserError

from .arguments import (
    check_names_loop,
    check_resume_schedule,
    check_schedules,
    check_together,
    checks_of_values,
)
from .interruption import Interruption
from .known_settings import check_flag
from .model_features import check_model_features
from .nan_loss import NanLossPolicy
from .out_of_memory import check_on_oom
from .types import Settings

__all__ = ["check_run_values"]

#: Checks of the whole config, whose errors begin with the name of the setting.
_CHECKS: tuple[Callable[[Settings], object], ...] = (
    check_model_features,
    check_on_oom,
    partial(check_flag, name="keep_global_batch"),
    partial(check_flag, name="progress_bar"),
    check_resume_schedule,
    lambda cfg: check_schedules(cfg.get("param_scheduler"), cfg.get("optim_wrapper")),
    lambda cfg: Interruption(cfg.get("interruption")),
    lambda cfg: NanLossPolicy(cfg.get("nan_loss")),
)
_PARTNERS = {"train": "optim_wrapper", "val": "val_evaluator", "test": "test_evaluator"}


def check_run_values(settings: Settings) -> Iterator[tuple[tuple[str, ...], Problem]]:
    """Call the checks of the runner, and find the settings that they refuse.

    Args:
        settings: The config of a run, with all its settings.

    Yields:
        The keys of a setting, and why it is refused.
    """
    for mode, partner in _PARTNERS.items():
        names = (f"{mode}_dataloader", f"{mode}_cfg", partner)
        try:
            check_together(mode, {name: settings.get(name) for name in names})
        except UserError as error:
            # One that is not written has no line, and may be set by what inherits the config.
            given = [name for name in names if name in settings and settings[name] is None]
            for name in given[:1]:
                yield (name,), Problem((), str(error))
    checks: list[Callable[[], object]] = [partial(each, settings) for each in _CHECKS]
    for check in [*checks, *_list_checks_of_loop(settings)]:
        try:
            check()
        except UserError as error:
            path, message = _locate(str(error), settings)
            yield path, Problem((), message)


def _list_checks_of_loop(settings: Settings) -> Iterator[Callable[[], object]]:
    cfg = settings.get("train_cfg")
    if isinstance(cfg, Mapping):
        if "type" not in cfg and "by_epoch" not in cfg:
            yield partial(check_names_loop, cfg)
        yield from checks_of_values(cfg)


def _locate(text: str, settings: Settings) -> tuple[tuple[str, ...], str]:
    """Split an error into the keys of a setting, by whose names it begins, and the rest."""
    path: list[str] = []
    value: object = settings
    while found := re.match(r"(\w+)(:? |(?==|\[))", text):
        if not isinstance(value, Mapping) or found[1] not in value:
            break
        path.append(found[1])
        value = value[found[1]]
        if not found[2]:  # the text goes on with the value
            break
        text = text[found.end() :]
    return tuple(path), text
