"""What arguments a runner accepts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from .base_loop import BaseLoop
from .errors import RunnerConfigError

__all__ = ["check_keys", "check_loops", "check_together", "with_preprocessor"]


def check_together(mode: str, **parts: Any) -> None:
    """Refuse a part of what a mode needs without the others.

    Args:
        mode: ``'train'``, ``'val'`` or ``'test'``.
        **parts: What it needs, None where it is not given.

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


def check_loops(**loops: Any) -> None:
    """Refuse what is neither a loop nor its config.

    Args:
        **loops: Loops by the name of their argument, None where there is none.

    Raises:
        RunnerConfigError: If one is of another kind.
    """
    for name, value in loops.items():
        if value is not None and not isinstance(value, (Mapping, BaseLoop)):
            raise RunnerConfigError(f"{name} must be a dict or a loop, not {type(value).__name__}")


def check_keys(cfg: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """Refuse a config without what a run needs, or with a key that is an argument misspelt.

    Args:
        cfg: The config. Other keys may stand in it, as variables of its own.
        arguments: Names of the arguments of the runner.

    Raises:
        RunnerConfigError: If it is so.
    """
    for name in ("model", "work_dir"):
        if name not in cfg:
            raise RunnerConfigError(f"the config has no {name!r}, which a runner needs")
    for key in cfg:
        if key in arguments:
            continue
        close = difflib.get_close_matches(str(key), arguments, n=1, cutoff=0.85)
        # A variable may be named a little like an argument that is there, a misspelling hardly.
        likeness = difflib.SequenceMatcher(None, str(key), close[0]).ratio() if close else 0
        if close and (close[0] not in cfg or likeness > 0.93):
            raise RunnerConfigError(
                f"the config has {key!r}, which is no argument of the runner: did you mean "
                f"{close[0]!r}?"
            )


def with_preprocessor(model: Any, data_preprocessor: Any) -> Any:
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
