"""Configs in checkpoints are data."""

from __future__ import annotations

import datetime
import math
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from eng.config import Config
from eng.infer.config_text import read_config_text


def test_what_a_run_writes_is_read_with_equal_values() -> None:
    cfg = {
        "a": [1, (2,), {3}, frozenset([1]), range(3), set(), (), None, True, b"x", 1 + 2j],
        "b": {"x": -1.5, 1: {"deep": "q\n'"}, "a b": [{}]},
        "c": Path("x"),
        "d": [datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4)],
        "e": [math.inf, -math.inf],
        "empty": {},
    }
    assert read_config_text(Config(cfg).pretty_text) == cfg
    assert math.isnan(read_config_text(Config({"a": math.nan}).pretty_text)["a"])


def test_classes_become_dotted_paths() -> None:
    text = Config({"model": {"type": torch.nn.Linear}, "f": math.sqrt}).pretty_text
    values = read_config_text(text)
    assert values == {"model": {"type": "torch.nn.modules.linear.Linear"}, "f": "math.sqrt"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("'a docstring'\nx = +3 # comment", {"x": 3}),
        ("from torch import nn as n\nx = n.ReLU", {"x": "torch.nn.ReLU"}),
        ("import torch.nn as n\nx = n.ReLU", {"x": "torch.nn.ReLU"}),
        ("import torch.nn\nx = torch.nn.ReLU", {"x": "torch.nn.ReLU"}),
        ("import collections\nx = collections.OrderedDict(a=1)", {"x": OrderedDict(a=1)}),
        ("x = dict([('a', 1)], b=2)", {"x": {"a": 1, "b": 2}}),
        ("x = 1\nx = 2", {"x": 2}),
        ("x = ('a' 'b')", {"x": "ab"}),
    ],
)
def test_other_forms(text: str, values: dict[str, object]) -> None:
    assert read_config_text(text) == values


@pytest.mark.parametrize(
    "code",
    [
        "x = __import__('os').system('true')",
        "x = open('f')",
        "x = os.system",
        "x = [i for i in (1, 2)]",
        "x = lambda: 1",
        "x = 'a' * 10**9",
        "x = 1 if True else 2",
        "x = f'{1}'",
        "x = dict(**{'a': 1})",
        "x = {**{}}",
        "x = y",
        "x, y = 1, 2",
        "x.y = 1",
        "x = -'a'",
        "from . import a",
        "print(1)",
        "def f(): pass",
        "while True: pass",
        "x = dict.fromkeys([1])",
        "x += 1",
        "del x",
    ],
)
def test_code_is_refused_and_not_run(code: str) -> None:
    with pytest.raises(ValueError, match=r"line 2"):
        read_config_text(f"a = 1\n{code}")


def test_a_class_is_not_called() -> None:
    with pytest.raises(ValueError, match=r"line 2: pathlib\.Path\.home"):
        read_config_text("import pathlib\nx = pathlib.Path.home()")


@pytest.mark.parametrize(
    "value",
    [
        "{[]: 1}",
        "{[1]}",
        "dict([1])",
        "range(1, 2, 3, 4)",
        "float('a')",
        "list(range(10000000000))",
        "tuple(range(10000000000))",
        "dict.fromkeys(range(9))",
        "float(10000000000 * 9)",
        "[" * 5000 + "]" * 5000,
        "-" * 100000 + "1",
        "9" * 5000,
    ],
)
def test_invalid_values(value: str) -> None:
    with pytest.raises(ValueError, match=r"line|value|nested|convert"):
        read_config_text(f"x = {value}")


def test_invalid_python() -> None:
    with pytest.raises(ValueError, match="invalid Python in line 2"):
        read_config_text("a = 1\nb = (")
