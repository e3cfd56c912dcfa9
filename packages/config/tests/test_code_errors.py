"""Errors of the code of a config."""

from __future__ import annotations

import traceback
from json import JSONDecodeError

import pytest

from eng.config import Config, ConfigError


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("lr = 1\nb = lrr", NameError, r"c\.py:2: name 'lrr' is not defined; did you mean 'lr'\?"),
        ("a = dict(\n  b=true)", NameError, r"c\.py:2: name 'true' .*did you mean 'True'\?"),
        ("a = null", NameError, r"c\.py:1: name 'null' .*did you mean 'None'\?"),
        ("a = foo(1)", NameError, r"c\.py:1: name 'foo' is not defined$"),
        ("def f(depth):\n    return dept\na = f(1)", NameError, r"c\.py:2: .* mean 'depth'\?"),
        ("def f():\n    print(a)\n    a = 1\nb = f()", NameError, r"c\.py:2: .*'a'"),
        ("a = 'x'.nope", AttributeError, r"c\.py:1: 'str' object has no attribute 'nope'"),
        ("d = dict(a=1)\n\nb = d.a", AttributeError, r"c\.py:3: 'dict' object has no attribute"),
        ("d = dict(a=1)\nb = d['c']", KeyError, r"c\.py:2: KeyError: 'c'"),
        ("import os\na = os.environ['ENG_NO']", KeyError, r"c\.py:2: .*ENG_NO is not set"),
        ("a = [1]\nb = a[3]", IndexError, r"c\.py:2: IndexError: list index out of range"),
        ("a = 1 / 0", ZeroDivisionError, r"c\.py:1: ZeroDivisionError: division by zero"),
        ("a = 1\nassert a == 2, 'no a'", AssertionError, r"c\.py:2: AssertionError: no a"),
        ("a = len(3)", TypeError, r"c\.py:1: TypeError: object of type 'int' has no len"),
        ("a = int('x')", ValueError, r"c\.py:1: ValueError: invalid literal"),
    ],
)
def test_an_error_keeps_its_class_and_gets_its_line(tmp_path, text, kind, message):
    (tmp_path / "base.py").write_text(text)
    (tmp_path / "c.py").write_text(text)
    (tmp_path / "child.py").write_text("_base_ = 'c.py'\n")
    for name in ("c.py", "child.py"):
        with pytest.raises(ConfigError, match=message) as caught:
            Config.fromfile(tmp_path / name)
        assert isinstance(caught.value, kind)
        assert str(caught.value).count(str(tmp_path)) == 1
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert "os.environ" in text or last.filename == str(tmp_path / "c.py")


def test_an_error_of_a_lazy_config_gets_its_line(tmp_path):
    (tmp_path / "base.py").write_text("lr = 1\n")
    (tmp_path / "c.py").write_text(
        "from eng.config import read_base\nwith read_base():\n    from .base import *\nb = lrr\n"
    )
    with pytest.raises(NameError, match=r"c\.py:4: name 'lrr' .* mean 'lr'\?") as caught:
        Config.fromfile(tmp_path / "c.py")
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import json\na = json.loads('x')", JSONDecodeError),
        ("a = 1\nb = open('/no/such/file')", FileNotFoundError),
    ],
)
def test_errors_of_further_classes_get_a_note(tmp_path, text, kind):
    (tmp_path / "c.py").write_text(text)
    with pytest.raises(kind) as caught:
        Config.fromfile(tmp_path / "c.py")
    assert caught.value.__notes__ == [f"raised in {tmp_path / 'c.py'}:2"]


def test_an_error_of_code_elsewhere_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "eng_helper_of_a_config.py").write_text("def f():\n    return nope\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "c.py").write_text("import eng_helper_of_a_config as h\na = h.f()\n")
    with pytest.raises(NameError) as caught:
        Config.fromfile(tmp_path / "c.py", lazy_import=False)
    assert not isinstance(caught.value, ConfigError)
