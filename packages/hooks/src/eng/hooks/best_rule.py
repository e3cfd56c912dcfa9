"""Decide which of two values of a metric is better."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from .errors import HookArgumentError, HookKeyError

__all__ = ["RULE_MAP", "WORST_VALUES", "infer_rule", "pair_rules"]

#: Whether a new value is better than the best so far, by the name of a rule.
RULE_MAP: dict[str, Callable[[float, float], bool]] = {
    "greater": lambda new, best: new > best,
    "less": lambda new, best: new < best,
}
#: The worst possible value, by the name of a rule.
WORST_VALUES = {"greater": -math.inf, "less": math.inf}
GREATER = ("acc", "top", "AR@", "auc", "precision", "mAP", "mDice", "mIoU", "mAcc", "aAcc")
LESS = ("loss",)
#: Rules by words, which must be whole parts of a name.
_WORDS = {"mae": "less", "perplexity": "less", "f1": "greater", "recall": "greater"}


def pair_rules(metrics: Sequence[str], rules: Sequence[str]) -> dict[str, str]:
    """Pair the rules in a config with its metrics.

    Args:
        metrics: Names of metrics; ``'auto'``, which must be alone, means the first one of the
            evaluator.
        rules: One rule for all metrics, or one for each, or none.

    Returns:
        Rules by metric; the empty name means all metrics.

    Raises:
        HookKeyError: If a rule is unknown.
        HookArgumentError: If the numbers do not agree, or ``'auto'`` is one of several.
    """
    for rule in rules:
        if rule not in RULE_MAP:
            raise HookKeyError(f"rule must be 'greater' or 'less', not {rule!r}")
    if "auto" in metrics and len(metrics) > 1:
        raise HookArgumentError("save_best='auto' cannot be one of several metrics")
    if len(rules) > 1 and len(rules) != len(metrics):
        raise HookArgumentError(f"{len(rules)} rules for {len(metrics)} metrics in save_best")
    if len(rules) > 1:
        return dict(zip(metrics, rules, strict=True))
    return {"": rules[0]} if rules else {}


def infer_rule(
    metric: str,
    greater_keys: Sequence[str] | None = None,
    less_keys: Sequence[str] | None = None,
    *,
    setting: str = "save_best",
) -> str:
    """The rule of a metric by its name.

    A name that the user lists decides. Otherwise one that has the word ``loss`` among its parts
    (``heatmap_loss``, ``loss.acc``) is better when less; then names of the lists, then parts of
    names (``accuracy/top1``), then the words ``f1``, ``recall``, ``mae`` and ``perplexity``,
    whatever their case.

    Args:
        metric: Its name.
        greater_keys: Names, or parts of names, of which greater values are better. Defaults to
            None, the common ones.
        less_keys: The same of which smaller values are better. Defaults to None, ``loss``.
        setting: The setting that names the metric, for the error. Defaults to ``'save_best'``.

    Returns:
        ``'greater'`` or ``'less'``.

    Raises:
        HookArgumentError: If it cannot be inferred.

    Examples:
        >>> infer_rule("coco/bbox_mAP"), infer_rule("stop_loss"), infer_rule("roc_auc")
        ('greater', 'less', 'greater')
    """
    greater, less = greater_keys or GREATER, less_keys or LESS
    if greater_keys and metric in greater_keys:
        return "greater"
    words = re.split(r"[/_\-.]", metric.lower())
    if "loss" in words:
        return "less"
    for rule, keys in (("greater", greater), ("less", less)):
        if metric.lower() in [key.lower() for key in keys]:
            return rule
    for rule, keys in (("greater", greater), ("less", less)):
        if any(key.lower() in metric.lower() for key in keys):
            return rule
    known = [_WORDS[word] for word in words if word in _WORDS]
    if known:
        return known[0]
    raise HookArgumentError(
        f"{setting}: cannot infer whether greater or smaller values of {metric!r} are better; "
        "set rule='greater' or rule='less'"
    )
