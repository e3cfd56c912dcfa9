"""What is dumped loads again as an equal config."""

import argparse
import datetime
import enum
import importlib
import json
import keyword
import math
import os.path
import string
import unicodedata
from pathlib import Path, PurePosixPath

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.config import Config, ConfigError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Nested:
    class Inner:
        pass

    @staticmethod
    def method():
        pass


def function():
    pass


# The writer names these by module, so that the module must be there to load them again.
importable = st.sampled_from(
    [dict, len, os.path.join, argparse.ArgumentParser, string.Template, json.JSONDecoder.decode]
)
reserved = {
    "filename",
    "text",
    "pretty_text",
    "env_variables",
    "dict",
    "set",
    "float",
    "complex",
    "range",
}
names = st.text(string.ascii_lowercase + "_é", min_size=1, max_size=8).filter(
    lambda n: (
        n.isidentifier()
        and unicodedata.normalize("NFKC", n) == n  # as Python reads names
        and not keyword.iskeyword(n)
        and not n.startswith("__")
        and n not in reserved
        and n not in {"frozenset", "_base_", "_delete_", "_deprecation_"}
    )
)
# Keys that hide a module whose name the text needs.
names = names | st.sampled_from(["pathlib", "datetime", "os", "argparse", "json", "builtins"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.text("{}$_: \"'\\\n#,fileDrnm", max_size=12)
)
dates = st.dates() | st.datetimes() | st.datetimes(timezones=st.just(datetime.timezone.utc))
hashable = (
    scalars
    | dates
    | st.timedeltas()
    | st.times()
    | st.binary(max_size=4)
    | st.complex_numbers(allow_nan=False)
    | st.builds(Path, st.text(string.ascii_letters + "/ .", min_size=1, max_size=8))
    | st.builds(PurePosixPath, st.just("a/b"))
    | importable
)


def plain_of(leaves, keys=names):
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(keys | st.text(max_size=5), inner, max_size=4)
        ),
        max_leaves=6,
    )


python_values = st.recursive(
    hashable | st.sets(hashable, max_size=3) | st.frozensets(hashable, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(names | hashable, inner, max_size=4)
    ),
    max_leaves=6,
)


def assert_law(data, suffix):
    cfg = Config(data, filename=f"c.{suffix}")  # whose suffix is the format of dump()
    try:
        text = cfg.dump()
    except ConfigError as error:
        # The one thing that is refused here: text in which loading would fill something in.
        assert "variable that loading would substitute" in str(error)  # noqa: PT017
        return
    again = Config.fromstring(text, suffix)
    assert again == cfg
    assert Config(again.to_dict(), filename=f"c.{suffix}").dump() == text


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, python_values, max_size=4))
def test_python_holds_all_values(data):
    assert_law(data, "py")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(names, plain_of(scalars), max_size=4))
def test_json_holds_plain_values(data):
    assert_law(data, "json")


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(names, plain_of(scalars | st.dates() | st.datetimes() | st.times()), max_size=4)
)
def test_toml_holds_plain_values_dates_and_null(data):
    assert_law(data, "toml")


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        names,
        plain_of(scalars | st.dates() | st.datetimes(), names | st.integers() | st.booleans()),
        max_size=4,
    ),
    st.sampled_from(["yaml", "yml"]),
)
def test_yaml_holds_plain_values_and_dates(data, suffix):
    assert_law(data, suffix)


def test_the_text_is_readable():
    cfg = Config(
        dict(
            model=dict(type=argparse.ArgumentParser, prog="x" * 60, pad={1, 2}, weights=None),
            work_dir=Path("runs/a"),
            factor=math.inf,
            join=os.path.join,
            ids={0: "a", "b-c": (1,)},
            since=datetime.date(2020, 1, 2),
            lr=1e-5,
        )
    )
    assert cfg.dump() == cfg.pretty_text
    assert (
        cfg.dump()
        == f"""\
import argparse
import datetime
import pathlib
import {os.path.join.__module__}

model = dict(
    type=argparse.ArgumentParser,
    prog='{"x" * 60}',
    pad={{1, 2}},
    weights=None,
)
work_dir = pathlib.Path('runs/a')
factor = float('inf')
join = {os.path.join.__module__}.join
ids = {{0: 'a', 'b-c': (1,)}}
since = datetime.date(2020, 1, 2)
lr = 1e-05
"""
    )


@pytest.mark.parametrize("value", [Colour.BLUE, Level.LOW, Nested.Inner, function, Nested.method])
def test_what_can_be_imported_comes_back_as_itself(tmp_path, value):
    cfg = Config(dict(type=value, inner=[value]))
    cfg.dump(tmp_path / "c.py")
    again = Config.fromfile(tmp_path / "c.py")
    assert again.type is value
    assert again.inner[0] is value


def test_functions_of_other_modules_are_values_and_own_ones_helpers(tmp_path):
    path = tmp_path / "c.py"
    path.write_text(
        "import os.path\nfrom json import loads\ndef double(x):\n    return 2 * x\n"
        "half = lambda x: x / 2\njoin = os.path.join\nlr = double(half(0.1))\n"
    )
    assert Config.fromfile(path) == dict(join=os.path.join, lr=0.1)


def test_numpy_scalars_become_plain(tmp_path):
    values = dict(a=numpy.float32(0.5), b=numpy.int64(3), c=numpy.bool_(True), d=numpy.float64(2))
    for suffix in ("py", "yaml", "json"):
        Config(values).dump(tmp_path / f"c.{suffix}")
        again = Config.fromfile(tmp_path / f"c.{suffix}")
        assert again == values
        assert [type(value) for value in again.values()] == [float, int, bool, float]


def local():
    def inner():
        pass

    return inner


@pytest.mark.parametrize(
    ("value", "suffix", "reason"),
    [
        (lambda: 1, "py", "cannot be imported"),
        (local(), "py", "cannot be imported"),
        (object(), "py", "type object"),
        ({"a": [object()]}, "py", r"model\.fn\.a\.0 .*type object"),
        ("{{ $HOME }}", "py", "variable that loading would substitute"),
        ({"{{ _base_.a }}": 1}, "json", "variable that loading would substitute"),
        ((1, {2: 3}), "json", "key must be a string"),
        ((1, Path("a")), "yaml", "does not support PosixPath; dump the config as py"),
        (Path("a"), "yaml", "does not support PosixPath; dump the config as py"),
        (dict, "json", "does not support type; dump the config as py"),
        (Colour.RED, "json", "does not support Colour"),
        (datetime.date(2020, 1, 2), "json", "does not support date"),
        ({1: 2}, "json", "key must be a string"),
        ({(1, 2): 2}, "yaml", "key must be a string"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_by_key(tmp_path, value, suffix, reason):
    target = tmp_path / f"c.{suffix}"
    target.write_text("before")
    with pytest.raises(ConfigError, match=reason) as info:
        Config(dict(model=dict(fn=value))).dump(target)
    assert str(info.value).startswith("model.fn")
    assert target.read_text() == "before"


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ((1, 2), [1, 2]),
        ((), []),
        (range(3), [0, 1, 2]),
        (range(5, 0, -2), [5, 3, 1]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        ({"b", 1, None}, ["b", 1, None]),  # by their text where they have no order
        ([(1, ({2},))], [[1, [[2]]]]),
        (dict(a=(dict(b=(1,)),)), dict(a=[dict(b=[1])])),
        (set(), []),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_sequences_and_sets_are_lists_in_json_and_yaml(tmp_path, value, listed, suffix):
    Config(dict(x=value)).dump(tmp_path / f"c.{suffix}")
    assert Config.fromfile(tmp_path / f"c.{suffix}").x == listed


def test_python_keeps_ranges(tmp_path):
    cfg = Config(dict(a=range(3), b=[range(1, 9, 2)], c=(1,)))
    cfg.dump(tmp_path / "c.py")
    again = Config.fromfile(tmp_path / "c.py")
    assert (again.a, again.b, again.c) == (range(3), [range(1, 9, 2)], (1,))


def test_keys_that_python_or_yaml_may_take_for_others(tmp_path):
    values = dict(a={"ª": 1, "a": 2}, b={"true": 1, True: 2, "1": 3})
    for suffix in ("py", "yaml"):
        Config(values).dump(tmp_path / f"c.{suffix}")
        assert Config.fromfile(tmp_path / f"c.{suffix}") == values
    with pytest.raises(ConfigError, match="cannot be a name"):
        Config({"ª": 1}).dump()


@pytest.mark.parametrize("letter", ["\x85", "\u2028", "\ufeff", "\r", "\x0c", "ü", "\U0001f600"])
def test_letters_that_break_lines(tmp_path, letter):
    for suffix in ("py", "yaml", "json"):
        Config(dict(a=f"x{letter}y")).dump(tmp_path / f"c.{suffix}")
        assert Config.fromfile(tmp_path / f"c.{suffix}").a == f"x{letter}y"


def test_a_refusal_names_the_file_and_line_of_the_value(tmp_path):
    (tmp_path / "c.yaml").write_text("a: 1\nmy-key: 2\n")
    cfg = Config.fromfile(tmp_path / "c.yaml")
    assert cfg["my-key"] == 2
    with pytest.raises(ConfigError, match=r"c\.yaml:2: my-key cannot be dumped as py.*a name"):
        cfg.dump(tmp_path / "c.py")
    assert "my-key = 2" in cfg.pretty_text


def test_pretty_text_shows_what_cannot_be_dumped():
    assert "fn = <function" in Config(dict(fn=lambda: 1)).pretty_text


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"'cfg'.*use py, yaml, yml, json or toml"):
        Config(dict(a=1)).dump(tmp_path / "c.cfg")


def test_no_key_is_taken_for_a_function_of_the_reader(tmp_path):
    names = ("_unpack_", "_note_", "_base_value_", "_variable_", "_lazy_import_", "_read_base_")
    (tmp_path / "base.py").write_text("b = [1]\n")
    lines = "".join(f"{name} = [*_base_.b]\n" for name in names)
    (tmp_path / "c.py").write_text(f"_base_ = 'base.py'\n{lines}c = '{{{{ _base_.b }}}}'\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg == {key: [1] for key in names} | dict(b=[1], c=[1])
    assert cfg.origin("_note_.0").file == str(tmp_path / "base.py")
    assert Config.fromstring(cfg.dump(), "py") == cfg


def test_a_class_of_a_module_that_a_function_hides_comes_back(tmp_path, monkeypatch):
    (tmp_path / "hiding_package").mkdir()
    (tmp_path / "hiding_package" / "__init__.py").write_text("from .resize import resize\n")
    (tmp_path / "hiding_package" / "resize.py").write_text(
        "class Resize:\n    pass\n\n\ndef resize():\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    resize = importlib.import_module("hiding_package.resize")
    cfg = Config(dict(type=resize.Resize, importlib=[resize.resize]))
    cfg.dump(tmp_path / "c.py")
    again = Config.fromfile(tmp_path / "c.py")
    assert again.type is resize.Resize
    assert again.importlib == [resize.resize]
