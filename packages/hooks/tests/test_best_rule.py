"""Which of two values of a metric is better."""

from __future__ import annotations

from typing import Any

import pytest

from eng.hooks.best_rule import infer_rule, pair_rules
from eng.hooks.values import names_of


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        ("loss", "less"),
        ("heatmap_loss", "less"),
        ("loss_acc", "less"),
        ("stop_loss", "less"),
        ("val/loss-top", "less"),
        ("accuracy/top1", "greater"),
        ("val/f1_cat", "greater"),
        ("recall", "greater"),
        ("depth/MAE", "less"),
        ("perplexity", "less"),
        ("AR@100", "greater"),
        ("coco/bbox_mAP", "greater"),
        ("roc_auc", "greater"),
        ("TOP", "greater"),
        ("floss", "less"),
    ],
)
def test_rules_by_name(metric: str, rule: str) -> None:
    assert infer_rule(metric) == rule


def test_names_of_ones_own() -> None:
    assert infer_rule("error", less_keys=["err"]) == "less"
    assert infer_rule("good_loss", greater_keys=["good_loss"]) == "greater"
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="cannot infer whether greater or smaller values of 'odd'"):
            infer_rule("odd")


def test_rules_that_are_given() -> None:
    assert pair_rules(["a", "b"], []) == {}
    assert pair_rules(["a", "b"], ["less"]) == {"": "less"}
    assert pair_rules(["a", "b"], ["less", "greater"]) == {"a": "less", "b": "greater"}
    assert pair_rules(["auto"], ["less"]) == {"": "less"}


@pytest.mark.parametrize(
    ("metrics", "rules", "kinds", "words"),
    [
        (["a"], ["more"], (ValueError, KeyError), "rule must be 'greater' or 'less', not 'more'"),
        (["a", "auto"], [], (ValueError, AssertionError), "'auto' cannot be one of several"),
        (["a", "b", "c"], ["less", "less"], (ValueError, AssertionError), "2 rules for 3 metrics"),
    ],
)
def test_rules_that_cannot_be(metrics: Any, rules: Any, kinds: Any, words: str) -> None:
    for kind in kinds:
        with pytest.raises(kind, match=words) as caught:
            pair_rules(metrics, rules)
        assert str(caught.value)[0] not in "'\"", "not as a KeyError shows its message"


@pytest.mark.parametrize("value", [3, ["a", 1], {"a": 1}])
def test_names_are_words(value: Any) -> None:
    assert names_of("x", "a") == ["a"]
    assert names_of("x", ("a", "b")) == ["a", "b"]
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match="x must be a str or a list of str"):
            names_of("x", value)
