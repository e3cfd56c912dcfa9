"""Keep the best values of metrics, by the rules of the run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from eng.hooks import CheckpointHook, Hook, infer_rule

__all__ = ["Best", "Bests", "rules_of"]

WhenT = TypeVar("WhenT")


@dataclass(frozen=True)
class Best(Generic[WhenT]):
    """The best value of a metric.

    Attributes:
        value: The value.
        when: When it was reached, such as ``'epoch 3'``.
    """

    value: float
    when: WhenT


class Bests(Generic[WhenT]):
    """The best values of metrics so far.

    Args:
        rules: Rules of metrics, ``'greater'`` or ``'less'``. That of any other is inferred.
    """

    def __init__(self, rules: Mapping[str, str]) -> None:
        self._rules = dict(rules)
        self._bests: dict[str, Best[WhenT]] = {}

    def add(self, metrics: Mapping[str, float], when: WhenT) -> dict[str, Best[WhenT]]:
        """Add the metrics of a validation.

        Args:
            metrics: Values by name.
            when: When it was, such as ``'epoch 3'``.

        Returns:
            The best values so far, of metrics whose rule is known.
        """
        for name, value in metrics.items():
            rule = self._find_rule(name)
            if rule is None or math.isnan(value):
                continue
            best = self._bests.get(name)
            sign = 1 if rule == "greater" else -1
            if best is None or sign * value > sign * best.value:
                self._bests[name] = Best(value, when)
        return {name: self._bests[name] for name in metrics if name in self._bests}

    def _find_rule(self, name: str) -> str | None:
        if name not in self._rules:
            try:
                self._rules[name] = infer_rule(name)
            except ValueError:  # it cannot be inferred
                return None
        return self._rules[name]


def rules_of(hooks: Iterable[Hook]) -> dict[str, str]:
    """Return the rules of metrics by which hooks choose the best checkpoint."""
    return {
        key: rule
        for hook in hooks
        if isinstance(hook, CheckpointHook) and "auto" not in hook.key_indicators
        for key, rule in zip(hook.key_indicators, hook.rules, strict=True)
    }
