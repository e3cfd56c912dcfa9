"""Check names of metrics in settings of hooks."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence

from .errors import HookKeyError
from .protocol import HookRunner
from .values import scalar_of

__all__ = ["check_metric_names", "describe_missing", "usable_score"]


def check_metric_names(keys: Sequence[str], runner: HookRunner, setting: str = "save_best") -> None:
    """Refuse names of metrics that the evaluator of validation does not have.

    Args:
        keys: The names; ``'auto'`` means any.
        runner: The runner. Without a validation, or with an evaluator or a loop that may return
            other names, nothing is refused. With a hook that may add metrics, it is a warning.
        setting: The setting with the names, for the error. Defaults to ``'save_best'``.

    Raises:
        HookKeyError: If one is missing; names the closest one.
    """
    evaluator = _find_evaluator(runner)
    if evaluator is None:
        return
    for key in keys:
        fault = None if key == "auto" else _find_fault(key, evaluator)
        if fault is None:
            continue
        adding = [hook for hook in getattr(runner, "hooks", ()) if _may_add_metrics(hook)]
        if not adding:
            raise HookKeyError(f"{setting}: {fault}")
        names = " or ".join(sorted({type(hook).__name__ for hook in adding}))
        runner.logger.warning(f"{setting}: {fault} ({names} may add it)")


def usable_score(
    key: str, metrics: Mapping[str, object], logger: logging.Logger, warned: set[str]
) -> float | None:
    """Return a metric as a number; warn the first time that it is missing or not a number.

    Args:
        key: Its name.
        metrics: Metrics of a validation by name.
        logger: The logger of the run.
        warned: Names that were warned of; they are added to.

    Returns:
        The number, or None.
    """
    score = scalar_of(metrics[key]) if key in metrics else None
    if score is None and key not in warned:
        warned.add(key)
        fault = f"{key!r} must be one number, not {metrics.get(key)!r:.80}"
        fault = fault if key in metrics else describe_missing(key, metrics)
        logger.warning(
            f"save_best: {fault}. Training continues without a best checkpoint by this metric."
        )
    return score


def describe_missing(key: str, names: Iterable[str]) -> str:
    """Describe a missing metric, with the available ones and the closest.

    Args:
        key: Its name.
        names: Names of the available metrics.

    Returns:
        Part of a sentence.
    """
    known = sorted(names)
    near = difflib.get_close_matches(key, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"missing metric {key!r}; available: {known}{hint}"


def _find_evaluator(runner: HookRunner) -> object | None:
    """Find the evaluator of validation; None with a loop that may return other names."""
    loop = getattr(runner, "val_loop", None)
    loops = [loop, *getattr(loop, "loops", {}).values()]  # of named sets
    methods = ("run", "evaluate_data")
    if not all(_is_of_engine(each, method) for each in loops for method in methods):
        return None
    return getattr(loop, "evaluator", None)


def _may_add_metrics(hook: object) -> bool:
    return not _is_of_engine(hook, "after_val_epoch")


def _is_of_engine(owner: object, method: str) -> bool:
    """Whether a method is of the engine, or missing, and not of code of others."""
    module = getattr(getattr(type(owner), method, None), "__module__", "eng")
    return str(module).partition(".")[0] == "eng"


def _find_fault(key: str, evaluator: object) -> str | None:
    """Describe why a metric cannot be among those of an evaluator; None if it can."""
    if key in _list_sums(evaluator):
        return None
    names = _ask(evaluator, "metric_names")
    if names is not None:
        return None if key in names else describe_missing(key, names)
    prefixes = _ask(evaluator, "metric_prefixes")
    if not prefixes or key.startswith(tuple(f"{prefix}/" for prefix in prefixes)):
        return None
    close = [f"{prefix}/{key.rpartition('/')[2]}" for prefix in prefixes]
    close += _list_sums(evaluator) if hasattr(evaluator, "set_names") else []
    near = difflib.get_close_matches(key, close, n=1, cutoff=0) or close
    return (
        f"missing metric {key!r}: all begin with "
        f"{' or '.join(repr(f'{each}/') for each in prefixes)}; did you mean {near[0]!r}?"
    )


def _list_sums(evaluator: object) -> list[str]:
    """Names of sums of losses, which come from the model: of each set where these have names."""
    names = getattr(evaluator, "set_names", None)
    return ["val_loss"] if names is None else [f"{name}/val_loss" for name in names]


def _ask(evaluator: object, method: str) -> list[str] | None:
    function = getattr(evaluator, method, None)
    found = function() if callable(function) else None
    return None if found is None else list(found)
