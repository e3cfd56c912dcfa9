"""Refuse wrong arguments of hooks when they are registered, not when they are used."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from eng.hooks import CheckpointHook, EMAHook
from eng.registry import (
    HOOKS,
    MODELS,
    RUNNERS,
    NotRegisteredError,
    Parameters,
    PartConfig,
    read_parameters,
)

from .errors import RunnerTypeError

__all__ = ["check_hook_config", "check_passed_on", "read_passed_on"]

#: Arguments of ``save_checkpoint`` that CheckpointHook passes itself.
_GIVEN = (
    "out_dir",
    "filename",
    "file_client_args",
    "save_optimizer",
    "save_param_scheduler",
    "meta",
    "by_epoch",
    "backend_args",
    "writer",
)


def check_hook_config(cfg: PartConfig) -> None:
    """Refuse arguments that the class of a hook does not take.

    Args:
        cfg: Config of the hook.

    Raises:
        RunnerTypeError: If there are unexpected ones; names the closest valid ones.
    """
    kind = HOOKS.type_of(cfg)
    if not isinstance(kind, type):
        return
    known, is_open = _read_signature(kind)
    if not is_open:
        _check_names(kind.__name__, set(cfg) - {"type", "_scope_"}, known)


def check_passed_on(hook: object, save_checkpoint: Callable[..., object] | None) -> None:
    """Refuse arguments that a hook only passes on, to what would refuse them later.

    Args:
        hook: The hook.
        save_checkpoint: The method that a :class:`eng.hooks.CheckpointHook` calls. None for a list
            of hooks without a runner.

    Raises:
        RunnerTypeError: If there are unexpected ones.
    """
    if isinstance(hook, CheckpointHook) and save_checkpoint is not None:
        known, is_open = _read_signature(save_checkpoint)
        if not is_open:
            own, _ = _read_signature(CheckpointHook)
            passed = [name for name in known if name not in _GIVEN]
            _check_names(type(hook).__name__, hook.args, passed, [*own, *passed])
    if isinstance(hook, EMAHook):
        _check_average(hook)


def read_passed_on(kind: object, cfg: PartConfig) -> Parameters | None:
    """Read the arguments of a hook with those that it passes on.

    Args:
        kind: Class of the hook.
        cfg: Its config.

    Returns:
        The arguments; None if the hook passes none on, or it is unknown which are accepted.
    """
    if kind is CheckpointHook:
        runner: Any = RUNNERS.get("Runner")
        parameters = read_parameters(runner.save_checkpoint)
        passed = {k: p for k, p in parameters.named.items() if k not in (*_GIVEN, "self")}
    elif kind is EMAHook:
        wanted = {"type": cfg.get("ema_type", "ExponentialMovingAverage")}
        try:
            parameters = read_parameters(MODELS.type_of(wanted))
        except NotRegisteredError:  # reported by the hook when it builds the average
            return None
        passed = {k: p for k, p in parameters.named.items() if k != "model"}
    else:
        return None
    own = read_parameters(kind)
    named = {**passed, **own.named}
    return None if parameters.is_open else Parameters(named, own.required, is_open=False)


def _check_average(hook: EMAHook) -> None:
    settings = dict(hook.ema_cfg)
    kind = settings.pop("type", None)
    if isinstance(kind, str):
        try:
            kind = MODELS.of_default_scope().require(kind)
        except NotRegisteredError:  # reported by the hook when it builds the average
            return
    known, is_open = _read_signature(kind)
    if not is_open:
        own, _ = _read_signature(EMAHook)
        _check_names(type(hook).__name__, set(settings) - {"_scope_"}, known, [*own, *known])


def _check_names(
    owner: str, given: Iterable[str], known: list[str], near: list[str] | None = None
) -> None:
    for name in sorted(set(given) - set(known)):
        # A name that is not accepted here is not proposed.
        names = [each for each in (known if near is None else near) if each != name]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f": did you mean {close[0]!r}?" if close else f"; it takes {', '.join(names)}"
        raise RunnerTypeError(f"{owner} has an unexpected argument {name!r}{hint}")


def _read_signature(function: Callable[..., object]) -> tuple[list[str], bool]:
    """Return the parameters of a class or function, and whether it accepts any other as well."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of a class in C, for instance
        return [], True
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    is_open = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return [p.name for p in parameters if p.kind in named], is_open
