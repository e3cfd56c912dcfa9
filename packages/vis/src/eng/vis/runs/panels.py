"""Arrange the curves of runs in panels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eng.utils import UserError

from .curves import RunCurves

__all__ = ["COLORS", "list_panels", "name_runs"]

#: Colours of runs, on light and on dark ground.
COLORS = (
    *("#3b82d6", "#e0762a", "#2a9d76", "#c94f7c", "#8a63d2"),
    *("#a8892c", "#4aa3b8", "#d0504a", "#6d8a3a", "#888888"),
)


def list_panels(runs: Sequence[RunCurves], pattern: str | None = None) -> list[str]:
    """List the names of curves: losses first, then metrics, learning rates, times and the like.

    Args:
        runs: The runs.
        pattern: Regular expression that is searched for in names. Defaults to None, all.

    Raises:
        UserError: If the pattern is invalid or matches no name.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.curves))
    try:
        chosen = [name for name in names if pattern is None or re.search(pattern, name)]
    except re.error as error:
        raise UserError(f"invalid regular expression {pattern!r}: {error}") from error
    if not chosen:
        raise UserError(f"no scalar matches {pattern!r}; recorded are: {', '.join(sorted(names))}")
    return sorted(chosen, key=_find_group)


def name_runs(paths: Sequence[str]) -> list[str]:
    """Name runs by the last parts of their paths, as few as distinguish them.

    Args:
        paths: Paths of runs.

    Examples:
        >>> name_runs(["a/first", "a/second"]), name_runs(["a/run", "b/run"])
        (['first', 'second'], ['a/run', 'b/run'])
    """
    parts = [[part for part in path.split("/") if part not in ("", ".")] or ["."] for path in paths]
    for count in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(each[-count:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{path} ({place})" for place, path in enumerate(paths, 1)]


def _find_group(name: str) -> int:
    if "loss" in name.lower():
        return 0
    if _is_rate(name):
        return 2
    return 3 if _is_resource(name) else 1


def _is_rate(name: str) -> bool:
    return name.rpartition("/")[-1].rpartition(".")[-1] in ("lr", "base_lr", "momentum")


def _is_resource(name: str) -> bool:
    return name.rpartition("/")[-1] in ("time", "data_time", "memory", "grad_norm", "eta")
