"""Check the config of a run before anything is built."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Protocol

from eng.config import Config, Origin
from eng.dist import get_rank
from eng.registry import RUNNERS, DefaultScope, NotRegisteredError, Problem

from .check_model_parts import check_model_parts
from .check_parts import PartChecker
from .check_run_values import check_run_values
from .errors import ConfigProblemsError
from .loops import Loops
from .types import Settings

__all__ = [
    "MODES",
    "Finding",
    "check_config",
    "check_start",
    "find_config_problems",
    "find_problems",
    "refuse_problems",
]

#: What a run may do, each with settings of its own.
MODES = ("train", "val", "test")
# By which Python shows each warning once.
_shown: dict[Any, Any] = {}


class CheckedRunner(Protocol):
    """The part of a runner whose settings are checked before they are built."""

    _loops: Loops
    optim_wrapper: Any
    param_schedulers: Any
    default_scope: DefaultScope
    cfg: Config


class Finding(NamedTuple):
    """A probable mistake in the config of a run.

    Attributes:
        text: Key and mistake.
        is_error: Whether building the run would fail.
        origin: File and line, or the command line; None if neither is known.
    """

    text: str
    is_error: bool
    origin: Origin | None

    @property
    def line(self) -> str:
        """The text after the file and line."""
        return self.text if self.origin is None else f"{self.origin}: {self.text}"


def find_problems(
    settings: Settings,
    modes: Collection[str] = MODES,
    source: Settings | None = None,
    is_strict: bool = True,
) -> list[Finding]:
    """Look up each type of a run, and hold the arguments against the signatures.

    Args:
        settings: Config of the run, or some of its settings.
        modes: What the run is to do: ``'train'``, ``'val'``, ``'test'``.
        source: Config with the origins of the settings. Defaults to None, ``settings``.
        is_strict: Whether the parts are built as :class:`Runner` does; otherwise no mistake is
            certain.

    Returns:
        All mistakes found. Those of parts that are not built by the engine are not certain, nor
        are wrong types of values.
    """
    checker = PartChecker(settings)
    with DefaultScope.overwrite_default_scope(settings.get("default_scope") or "mmengine"):
        checker.check(modes)
    source = settings if source is None else source
    return _describe(checker.found, source, is_strict)


def _describe(
    problems: Iterable[tuple[tuple[str, ...], Problem]], source: Settings, is_strict: bool
) -> list[Finding]:
    """Describe problems by their keys and origins."""
    found: dict[object, Finding] = {}
    for path, problem in problems:
        whole = (*path, *problem.path)
        key = ".".join(whole if problem.is_value else path)
        text = f"{key}: {problem.message}"
        is_error = problem.is_certain and is_strict
        origin = _find_origin(source, whole)
        # A value that is used in several places has one mistake.
        place = (origin, problem.message) if origin is not None else text
        found.setdefault(place, Finding(text, is_error, origin))
    return list(found.values())


def find_config_problems(
    cfg: Settings, modes: Collection[str] = MODES, builds_model: bool = False
) -> list[Finding]:
    """Look up each type of a config, including that of the runner, and check all arguments.

    Args:
        cfg: The config.
        modes: What the run is to do.
        builds_model: Whether the model is built, without its values, where ``parallel`` names parts
            of it and nothing else is wrong. Defaults to False.

    Returns:
        All mistakes found. None is certain if a runner of another package builds the parts.
    """
    kind, unknown = cfg.get("runner_type", "Runner"), []
    if isinstance(kind, str):
        try:
            kind = RUNNERS.type_of({"type": kind, "_scope_": cfg.get("default_scope")})
        except NotRegisteredError as error:
            origin = _find_origin(cfg, ("runner_type",))
            unknown = [Finding(f"runner_type: {error}", True, origin)]
    is_strict = str(getattr(kind, "__module__", "")).startswith("eng.")
    refused = _describe(check_run_values(cfg), cfg, is_strict)
    keys = {each.text.partition(": ")[0] for each in refused}
    found = [*unknown, *refused]
    for each in find_problems(cfg, modes, is_strict=is_strict):
        if each.is_error or each.text.partition(": ")[0] not in keys:  # said once
            found.append(each)
    if builds_model and not any(each.is_error for each in found):
        found += _describe(check_model_parts(cfg), cfg, is_strict)
    return found


def check_config(cfg: Settings) -> list[tuple[str, bool]]:
    """Check a config for ``eng config --check``.

    Args:
        cfg: The config.

    Returns:
        The mistakes in a line each, and whether building the run would fail with it.
    """
    return [(each.line, each.is_error) for each in find_config_problems(cfg, builds_model=True)]


def refuse_problems(findings: Iterable[Finding]) -> None:
    """Raise an error with all mistakes with which a run would fail, and warn of the others.

    Args:
        findings: The mistakes.

    Raises:
        ConfigProblemsError: If the run would fail.
    """
    certain = []
    for each in findings:
        if each.is_error:
            certain.append(each.line)
        elif get_rank() == 0 and os.environ.get("RANK", "0") == "0":  # before processes join, too
            file, line = "<config>", 1
            if each.origin is not None:
                file, line = each.origin.file or "--cfg-options", each.origin.line or 1
            warnings.warn_explicit(each.text, UserWarning, file, line, registry=_shown)
    if certain:
        raise ConfigProblemsError(certain)


def check_start(runner: CheckedRunner, mode: str, purpose: str) -> None:
    """Check the parts of a runner that are built when it starts, before the first of them.

    Args:
        runner: The runner.
        mode: ``'train'``, ``'val'`` or ``'test'``.
        purpose: Its purpose, such as ``'to train'``.

    Raises:
        MissingLoopError: If the runner has no such loop.
        ConfigProblemsError: If parts cannot be built.
    """
    loops = runner._loops
    getattr(loops, mode).check_given(purpose)
    settings: dict[str, object] = {"default_scope": runner.default_scope.scope_name}
    for name in [mode] if mode != "train" else ["train", "val"]:
        slot = getattr(loops, name)
        if slot.built is None:
            partner = "optim_wrapper" if name == "train" else f"{name}_evaluator"
            settings |= {f"{name}_dataloader": slot.dataloader, f"{name}_cfg": slot.given}
            settings[partner] = slot.partner
    if "optim_wrapper" in settings:
        settings |= {
            "optim_wrapper": runner.optim_wrapper,
            "param_scheduler": runner.param_schedulers,
        }
    # A class of somebody else may build parts in another way.
    is_strict = type(runner).__module__.startswith("eng.")
    modes = ("train", "val") if mode == "train" else (mode,)
    refuse_problems(find_problems(settings, modes, source=runner.cfg, is_strict=is_strict))


def _find_origin(cfg: Settings, path: tuple[str, ...]) -> Origin | None:
    """Return the origin of a key, or of the nearest one around it that was not set by code."""
    if not isinstance(cfg, Config):
        return None
    for end in range(len(path), 0, -1):
        try:
            origin = cfg.origin(".".join(path[:end]))
        except KeyError:  # missing, or with a dot
            continue
        if origin.file is not None or origin.by != "code":
            return origin
    return None
