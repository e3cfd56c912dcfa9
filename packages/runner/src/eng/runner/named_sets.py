"""Split the settings of an evaluation on several named sets of data."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeGuard

from eng.registry import LOOPS, NotRegisteredError, PartConfig, WrongKindError

from .errors import RunnerConfigError
from .eval_loops import EvalLoop
from .types import EvaluatorOrConfig

__all__ = [
    "are_by_name",
    "composes_sets",
    "evaluators_by_name",
    "keep_files_apart",
    "missing_evaluators",
]


def composes_sets(loop: object, default: str) -> bool:
    """Whether the loop of a config evaluates one set, so that several are evaluated one by one.

    Args:
        loop: The config of the loop.
        default: The ``type`` of a config without one.

    Returns:
        False for a third-party loop, which may read the data loaders itself.
    """
    if not isinstance(loop, Mapping):
        return False
    kind = loop.get("type", default)
    try:
        found = LOOPS.type_of({"type": kind, "_scope_": loop.get("_scope_")})
    except (NotRegisteredError, WrongKindError):  # reported where the loop is built
        return False
    is_ours = isinstance(found, type) and issubclass(found, EvalLoop)
    return is_ours and found.run is EvalLoop.run


def are_by_name(evaluator: object) -> TypeGuard[PartConfig]:
    """Whether evaluators are given by the name of their set.

    Args:
        evaluator: The ``val_evaluator`` or ``test_evaluator`` of a run with sets by name.

    Returns:
        False for what is one evaluator, its config, or metrics.
    """
    return isinstance(evaluator, Mapping) and not {"type", "metrics"} & set(evaluator)


def evaluators_by_name(
    mode: str, names: Iterable[str], evaluator: object
) -> dict[str, EvaluatorOrConfig]:
    """Find the evaluator of each set.

    Args:
        mode: ``'val'`` or ``'test'``.
        names: Names of the sets.
        evaluator: An evaluator, metrics or configs, of which each set gets its own; or a dict of
            these by the same names.

    Returns:
        The evaluators or their configs.

    Raises:
        RunnerConfigError: If a name cannot be the prefix of metrics, a set has no evaluator, or an
            evaluator no set.
    """
    names = list(names)
    for name in names:
        if not isinstance(name, str) or not name or "/" in name:
            raise RunnerConfigError(
                f"{mode}_dataloader: the name of a set is the prefix of its metrics: it must be a "
                f"text without '/', got {name!r}"
            )
    if not are_by_name(evaluator):
        given: Any = evaluator
        return {name: _copy(mode, given) if place else given for place, name in enumerate(names)}
    for problem in missing_evaluators(mode, names, evaluator):
        raise RunnerConfigError(f"{mode}_evaluator: {problem}")
    return {name: evaluator[name] for name in names}


def missing_evaluators(mode: str, names: Sequence[str], evaluator: object) -> list[str]:
    """Compare the names of evaluators with those of sets.

    Args:
        mode: ``'val'`` or ``'test'``.
        names: Names of the sets.
        evaluator: The evaluators, perhaps by name.

    Returns:
        The problems, none for an evaluator that is not by name.
    """
    if not are_by_name(evaluator):
        return []
    found = []
    for name in [each for each in names if each not in evaluator]:
        near = difflib.get_close_matches(name, [each for each in evaluator if each not in names], 1)
        hint = f" (did you mean it by {near[0]!r}?)" if near else ""
        found.append(
            f"missing the evaluator of the set {name!r} of {mode}_dataloader; it has those of "
            f"{sorted(map(str, evaluator))}{hint}"
        )
    unknown = [str(each) for each in evaluator if each not in names]
    if unknown and not found:
        found.append(f"{unknown} are not sets of {mode}_dataloader, which are {list(names)}")
    return found


def keep_files_apart(evaluator: object, name: str) -> None:
    """Let metrics that write a file, such as ``DumpResults``, write one of each set.

    Args:
        evaluator: The evaluator of a set, built from a config that all sets have in common.
        name: Name of the set, which is put before the suffix.
    """
    for metric in getattr(evaluator, "metrics", ()):
        path = getattr(metric, "out_file_path", None)
        if isinstance(path, str):
            suffix = PurePath(path).suffix
            metric.out_file_path = f"{path.removesuffix(suffix)}.{name}{suffix}"


def _copy(mode: str, evaluator: Any) -> Any:
    """Copy a built evaluator, so that each set has results of its own."""
    try:
        return copy.deepcopy(evaluator)
    except Exception as error:  # of any metric
        raise RunnerConfigError(
            f"{mode}_evaluator: {type(evaluator).__name__} cannot be copied for each set of "
            f"{mode}_dataloader ({error}); give a dict of evaluators by the names of the sets"
        ) from error
