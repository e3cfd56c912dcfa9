"""Configs in TOML."""

from __future__ import annotations

import datetime

import pytest

from eng.config import Config, ConfigError

DOCUMENT = """\
a = 1  # {{ $ENG_IN_A_COMMENT }} ]
"b c".'d.e' = "x # y = ["
words = \"\"\"one "
["two"]\"\"\"""
lists = [1,
  [2, {x = 3, y.z = 4}],  # ]
]
[table . inner]
when = 1979-05-27 07:32:00
off = 1979-05-27
[[hooks]]
type = 'A'
[[hooks]]
type = '''B
[x]
'''
[[hooks.more]]
n = 1
[hooks.last]
m = {{ null }}
[table]
k = "{{ null }}"
"""


def test_values_and_their_lines():
    cfg = Config.fromstring(DOCUMENT, "toml")
    assert cfg.to_dict() == {
        "a": 1,
        "b c": {"d.e": "x # y = ["},
        "words": 'one "\n["two"]""',
        "lists": [1, [2, {"x": 3, "y": {"z": 4}}]],
        "table": {
            "inner": {
                "when": datetime.datetime(1979, 5, 27, 7, 32),
                "off": datetime.date(1979, 5, 27),
            },
            "k": None,
        },
        "hooks": [
            {"type": "A"},
            {"type": "B\n[x]\n", "more": [{"n": 1}], "last": {"m": None}},
        ],
    }
    lines = {
        "a": 1,
        "b c": 2,
        "words": 3,
        "lists": 5,
        "lists.0": 5,
        "lists.1.0": 6,
        "lists.1.1.x": 6,
        "lists.1.1.y.z": 6,
        "table": 8,
        "table.inner.when": 9,
        "hooks": 11,
        "hooks.0.type": 12,
        "hooks.1": 13,
        "hooks.1.type": 14,
        "hooks.1.more.0.n": 18,
        "hooks.1.last.m": 20,
        "table.k": 22,
    }
    assert {key: cfg.origin(key).line for key in lines} == lines


def test_bases_across_formats(tmp_path, monkeypatch):
    monkeypatch.setenv("ENG_N", "7")
    (tmp_path / "base.toml").write_text("[model]\ntype = 'A'\ndepth = 18\n")
    (tmp_path / "c.py").write_text("_base_ = 'base.toml'\nmodel = dict(depth=50)\n")
    (tmp_path / "d.toml").write_text(
        "_base_ = 'c.py'\nn = {{ $ENG_N }}\nname = '{{ fileBasename }} {{ $ENG_N }}'\n"
        "deep = [{{ _base_.model.depth }}]\n[model]\n_delete_ = true\ntype = {{ null }}\n"
    )
    assert Config.fromfile(tmp_path / "c.py").model == dict(type="A", depth=50)
    cfg = Config.fromfile(tmp_path / "d.toml")
    assert cfg == dict(n=7, name="d.toml 7", deep=[50], model=dict(type=None))
    (tmp_path / "e.yaml").write_text("_base_: d.toml\nn: 8\n")
    assert Config.fromfile(tmp_path / "e.yaml") == {**cfg, "n": 8}
    assert str(Config.fromfile(tmp_path / "e.yaml").origin("model.type")).endswith("d.toml:7")


def test_code_is_refused_where_it_is_not_wanted(tmp_path):
    (tmp_path / "base.py").write_text("a = 1\n")
    for text in ("_base_ = 'base.py'\n", "[custom_imports]\nimports = ['os']\n"):
        (tmp_path / "c.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"c\.toml:1: .*is code, which is not allowed"):
            Config.fromfile(tmp_path / "c.toml", import_custom_modules=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = null\n", r"c\.toml:2: invalid TOML: Invalid value; .*write \{\{ null \}\}"),
        ("a = True\n", r"c\.toml:1: invalid TOML: Invalid value; booleans are true and false"),
        ("a = SGD\n", r"c\.toml:1: invalid TOML: Invalid value; strings have quotes"),
        ("a = 1\n\na = 2\n", r"c\.toml:3: invalid TOML: Cannot overwrite a value"),
        ("a = [1,\n", r"c\.toml:1: invalid TOML"),
        ("a: 1\n", r"c\.toml:1: invalid TOML"),
        ("a = 1\n_base_ = 'no.toml'\n", r"c\.toml:2: the base 'no.toml' does not exist"),
        ("\na = {{ $ENG_NOT_SET }}\n", r"c\.toml:2: the environment variable ENG_NOT_SET"),
        ("text = 1\n", r"c\.toml:1: the key 'text' is reserved"),
        ("a = " + "[" * 100_000, r"c\.toml: values are nested too deeply"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Config.fromfile(tmp_path / "c.toml")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{{ null }}", "contains a variable"),
        ("{{ $HOME }}", "contains a variable"),
        ({1: 2}, "the key must be a string"),
        (b"x", "does not support bytes"),
        (datetime.time(1, tzinfo=datetime.timezone.utc), "times with a time zone"),
    ],
)
def test_what_cannot_be_dumped_is_named(value, reason):
    with pytest.raises(ConfigError, match=rf"a\.b.* cannot be dumped as toml: .*{reason}"):
        Config(dict(a=dict(b=value)), filename="c.toml").dump()


def test_a_dump_is_valid_for_other_readers(tmp_path):
    cfg = Config(dict(a=None, b=[None, 1, (2,)], c=dict(d={}, e=[dict(f=1.5)], g=float("inf"))))
    cfg.dump(tmp_path / "c.toml")
    assert '"{{ null }}"' in (tmp_path / "c.toml").read_text()
    again = Config.fromfile(tmp_path / "c.toml")
    assert again == dict(a=None, b=[None, 1, [2]], c=dict(d={}, e=[dict(f=1.5)], g=float("inf")))
