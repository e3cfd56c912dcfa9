"""Table of the metrics of a validation, with the best so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from eng.hooks import CheckpointHook, Hook, infer_rule, scalar_of

from .lines import color, format_number

__all__ = ["Best", "Bests", "format_table", "rules_of"]

_INDENT = " " * 11


@dataclass(frozen=True)
class Best:
    """The best value of a metric.

    Attributes:
        value: The value.
        when: When it was reached, such as ``'epoch 3'``.
    """

    value: float
    when: str


class Bests:
    """The best values of metrics so far.

    Args:
        rules: Rules of metrics, ``'greater'`` or ``'less'``. That of any other is inferred.
    """

    def __init__(self, rules: Mapping[str, str]) -> None:
        self._rules = dict(rules)
        self._bests: dict[str, Best] = {}

    def add(self, metrics: Mapping[str, float], when: str) -> dict[str, Best]:
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


def rules_of(hooks: list[Hook]) -> dict[str, str]:
    """Return the rules of metrics by which hooks choose the best checkpoint."""
    return {
        key: rule
        for hook in hooks
        if isinstance(hook, CheckpointHook) and "auto" not in hook.key_indicators
        for key, rule in zip(hook.key_indicators, hook.rules, strict=True)
    }


def format_table(
    metrics: Mapping[str, object], bests: Mapping[str, Best], when: str, has_color: bool
) -> str:
    """Format metrics as lines of name, value and best value.

    Args:
        metrics: Values by name. Those that are not numbers are left out.
        bests: Best values so far, by name.
        when: When it was, as for :meth:`Bests.add`.
        has_color: Whether colors are allowed.

    Returns:
        Lines. The mark ``*`` is a best value.
    """
    values = {str(name): scalar_of(value) for name, value in metrics.items()}
    texts = {name: format_number(each) for name, each in values.items() if each is not None}
    if not texts:
        return f"{_INDENT}no metrics that are numbers"
    names, numbers = (max(map(len, each)) for each in (texts, texts.values()))
    lines = []
    for name, text in texts.items():
        line = f"{_INDENT}{name:{names}}  {text:>{numbers}}"
        best = bests.get(name)
        if best is not None and best.when == when:
            line += color(" * best so far", "32", has_color)
        elif best is not None:
            line += f"   best {format_number(best.value)} ({best.when})"
        lines.append(line)
    return "\n".join(lines)
