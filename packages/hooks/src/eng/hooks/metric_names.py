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
        runner: The runner. Without a validation, or with an evaluator that cannot tell, nothing is
            refused.
        setting: The setting with the names, for the error. Defaults to ``'save_best'``.

    Raises:
        HookKeyError: If one is missing; names the closest one.
    """
    loop = getattr(runner, "val_loop", None)
    evaluator = getattr(loop, "evaluator", None)
    for key in keys:
        if key == "auto" or evaluator is None or key in _list_sums(evaluator):
            continue
        names = _ask(evaluator, "metric_names")
        if names is not None and key not in names:
            raise HookKeyError(f"{setting}: {describe_missing(key, names)}")
        prefixes = _ask(evaluator, "metric_prefixes")
        if names is None and prefixes and not key.startswith(tuple(f"{p}/" for p in prefixes)):
            close = [f"{prefix}/{key.rpartition('/')[2]}" for prefix in prefixes]
            close += _list_sums(evaluator) if hasattr(evaluator, "set_names") else []
            near = difflib.get_close_matches(key, close, n=1, cutoff=0) or close
            raise HookKeyError(
                f"{setting}: missing metric {key!r}: all begin with "
                f"{' or '.join(repr(f'{each}/') for each in prefixes)}; did you mean {near[0]!r}?"
            )


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


def _list_sums(evaluator: object) -> list[str]:
    """Names of sums of losses, which come from the model: of each set where these have names."""
    names = getattr(evaluator, "set_names", None)
    return ["val_loss"] if names is None else [f"{name}/val_loss" for name in names]


def _ask(evaluator: object, method: str) -> list[str] | None:
    function = getattr(evaluator, method, None)
    found = function() if callable(function) else None
    return None if found is None else list(found)
