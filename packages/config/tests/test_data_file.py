import pytest
import yaml

from eng.config import Config, ConfigError

BASE = """\
n = 3
name = 'key'
l = [1, 2.5]
d = dict(
    e='t')
"""


def write(folder, **files):
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x: {{ _base_.n }}", dict(x=3)),
        ("x: {{_base_.n}}  # {{ _base_.n }}", dict(x=3)),
        ("x: [{{ _base_.n }}, 2]", dict(x=[3, 2])),
        ("x: [1,{{_base_.n}},{{_base_.l}}]", dict(x=[1, 3, [1, 2.5]])),
        ("x: {b: {{ _base_.n }}}", dict(x=dict(b=3))),
        ("x: {b: {{ _base_.d }}, c: [{{ _base_.d.e }}]}", dict(x=dict(b=dict(e="t"), c=["t"]))),
        ("x: {{{ _base_.name }}: 1}", dict(x=dict(key=1))),
        ("{{ _base_.name }}: {{ _base_.name }}", dict(key="key")),
        ("x:\n  - {{ _base_.n }}\n  - - {{ _base_.n }}", dict(x=[3, [3]])),
        ("x: 'v {{ _base_.n }}'", dict(x="v 3")),
        ('x: "{{ _base_.n }}"', dict(x=3)),
        ("x: a {{ _base_.n }} b {{ _base_.name }}", dict(x="a 3 b key")),
        ("x: {{ _base_.n }}{{ _base_.n }}", dict(x="33")),
        ("x: {{ _base_.n }}%", dict(x="3%")),
        ("x: |\n  {{ _base_.n }}\n  b\n", dict(x="3\nb\n")),
        ("x: >-\n  {{ _base_.n }}\n  b\n", dict(x="3 b")),
        ("x: &a [{{ _base_.n }}]\ny: *a", dict(x=[3], y=[3])),
        ("x: &a {b: {{ _base_.n }}}\ny: {<<: *a, c: 1}", dict(x=dict(b=3), y=dict(b=3, c=1))),
        ("x: base_variable0. {{ _base_.n }}", dict(x="base_variable0. 3")),
        ("x: {{ _base_.d.e }}/{{ fileBasename }}", dict(x="t/c.yaml")),
    ],
)
def test_base_variables_anywhere_in_yaml(tmp_path, text, value):
    write(tmp_path, base_py=BASE)
    (tmp_path / "c.yaml").write_text(f"_base_: base.py\n{text}")
    assert Config.fromfile(tmp_path / "c.yaml") == {
        **Config.fromfile(tmp_path / "base.py"),
        **value,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"x": {{ _base_.n }}', dict(x=3)),
        ('"x": [{{ _base_.n }}, 2]', dict(x=[3, 2])),
        ('"x": [1,{{_base_.n}},{{_base_.l}}]', dict(x=[1, 3, [1, 2.5]])),
        ('"x": {"b": {{ _base_.n }}}', dict(x=dict(b=3))),
        ('"x": {"b":{{ _base_.d }},"c":[{{ _base_.d.e }}]}', dict(x=dict(b=dict(e="t"), c=["t"]))),
        ('"x": {{{ _base_.name }}: 1}', dict(x=dict(key=1))),
        ('"{{ _base_.name }}": "{{ _base_.name }}"', dict(key="key")),
        ('"x": "v {{ _base_.n }}"', dict(x="v 3")),
        ('"x": "a \\" {{ _base_.n }}"', dict(x='a " 3')),
        ('"x": [[{{ _base_.n }}], "{{ _base_.l }}"]', dict(x=[[3], [1, 2.5]])),
    ],
)
def test_base_variables_anywhere_in_json(tmp_path, text, value):
    write(tmp_path, base_py=BASE)
    (tmp_path / "c.json").write_text(f'{{"_base_": "base.py", {text}}}')
    assert Config.fromfile(tmp_path / "c.json") == {
        **Config.fromfile(tmp_path / "base.py"),
        **value,
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "_base_: base.py\nx: [1,\n  {{ _base_.d }}]\n{{ _base_.name }}: {z: 1}\n"),
        (
            "c.json",
            '{"_base_": "base.py",\n"x": [1,\n{{ _base_.d }}],\n{{ _base_.name }}: {"z": 1}}',
        ),
    ],
)
def test_origins_of_base_variables(tmp_path, name, text):
    write(tmp_path, base_py=BASE)
    (tmp_path / name).write_text(text)
    cfg = Config.fromfile(tmp_path / name)
    assert (cfg.x, cfg.key) == ([1, dict(e="t")], dict(z=1))
    origins = {key: str(cfg.origin(key)) for key in ("x", "x.1", "x.1.e", "key", "key.z")}
    own, base = str(tmp_path / name), str(tmp_path / "base.py")
    assert origins == {
        "x": f"{own}:2",
        "x.1": f"{own}:3",
        "x.1.e": f"{base}:5",
        "key": f"{own}:4",
        "key.z": f"{own}:4",
    }


@pytest.mark.parametrize("name", ["x", "x: [{{ _base_.no }}]", "x: {b: {{ _base_.no }}}"])
def test_errors_of_yaml_show_the_variables(tmp_path, name):
    write(tmp_path, base_py=BASE)
    for text, match in (
        (f"_base_: base.py\ny: 1\n{name}", r"c\.yaml:3: (undefined variable|invalid YAML)"),
        (
            "_base_: base.py\n{{ _base_.n }}: 1\n{{ _base_.n }}: 2\n",
            r"c\.yaml:3: duplicate key '\{\{ _base_\.n \}\}'",
        ),
    ):
        (tmp_path / "c.yaml").write_text(text)
        with pytest.raises(ConfigError, match=match):
            Config.fromfile(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("-1e-4", -1e-4),
        ("-.5", -0.5),
        ("2.5e3", 2500.0),
        ("'1e-3'", "1e-3"),
        ("1e", "1e"),
        ("09", "09"),
        ("yes", True),
    ],
)
def test_floats_in_yaml(tmp_path, text, value):
    (tmp_path / "c.yaml").write_text(f"lr: {text}\na: {{b: [{text}]}}\n")
    cfg = Config.fromfile(tmp_path / "c.yaml")
    assert [type(each) for each in (cfg.lr, cfg.a.b[0])] == [type(value)] * 2
    assert (cfg.lr, cfg.a.b[0]) == (value, value)
    cfg.dump(tmp_path / "d.yaml")
    assert Config.fromfile(tmp_path / "d.yaml") == cfg


def test_yaml_is_parsed_in_c_with_the_same_lines(tmp_path, monkeypatch):
    from eng.fileio import YamlHandler, yaml_types

    text = "a:\r\n  - {b: ü, c: '{{ fileBasename }}'}\n\n  - {{ fileExtname }}\nd: &x |\n  t\n\n"
    text += "e: *x\n"
    (tmp_path / "c.yaml").write_bytes(text.encode())
    fast = Config.fromfile(tmp_path / "c.yaml")
    assert issubclass(YamlHandler.loader(), yaml.CSafeLoader)
    monkeypatch.delattr(yaml, "CSafeLoader")
    yaml_types.make_safe_loader.cache_clear()
    try:
        slow = Config.fromfile(tmp_path / "c.yaml")
        assert issubclass(YamlHandler.loader(), yaml.SafeLoader)
    finally:
        monkeypatch.undo()
        yaml_types.make_safe_loader.cache_clear()
    assert slow == fast == dict(a=[dict(b="ü", c="c.yaml"), ".yaml"], d="t\n", e="t\n")
    for key, line in {"a": 1, "a.0.b": 2, "a.1": 4, "d": 5, "e": 8}.items():
        assert slow.origin(key).line == fast.origin(key).line == line


@pytest.mark.parametrize("text", ["a: " + "[" * 200_000, "- " * 200_000, "a: " + "{b: " * 100_000])
def test_deep_yaml_is_an_error(text):
    with pytest.raises(ConfigError, match="nest"):
        Config.fromstring(text, "yaml")


def test_tuples_in_yaml_that_pyyaml_dumped(tmp_path):
    (tmp_path / "base.yaml").write_text(
        "optimizer:\n  betas: !!python/tuple\n  - 0.9\n  - 0.99\nsizes: [!!python/tuple [1, 2]]\n"
    )
    (tmp_path / "c.yaml").write_text(
        "_base_: base.yaml\nfirst: '{{ _base_.optimizer }}'\nown: !!python/tuple [x, {k: 1}]\n"
    )
    cfg = Config.fromfile(tmp_path / "c.yaml")
    assert cfg.optimizer.betas == cfg.first.betas == (0.9, 0.99)
    assert cfg.sizes == [(1, 2)]
    assert cfg.own == ("x", {"k": 1})
    assert cfg.own[1].k == 1
    assert Config.fromstring(cfg.pretty_text, "py").own == cfg.own


def test_yaml_runs_no_code(tmp_path):
    mark = tmp_path / "mark"
    (tmp_path / "c.yaml").write_text(f"a: 1\nb: !!python/object/apply:os.mkdir ['{mark}']\n")
    with pytest.raises(ConfigError, match=r"c\.yaml:2: invalid YAML: could not determine"):
        Config.fromfile(tmp_path / "c.yaml")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("py", "a = 1\n"),
        ("py", "# comment\na = 1\n"),
        ("py", "_base_ = 'base.json'\n"),
        ("yaml", "a: 1\n"),
        ("yml", "---\na: 1\n"),
        ("json", '{"a": 1}'),
        ("toml", "a = 1\n"),
    ],
)
def test_a_byte_order_mark_is_dropped(tmp_path, suffix, text):
    (tmp_path / "base.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    path = tmp_path / f"c.{suffix}"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    cfg = Config.fromfile(path)
    assert list(cfg.items()) == [("a", 1)]
    assert "\ufeff" not in cfg.text
    if "_base_" not in text:
        assert Config.fromstring("\ufeff" + text, suffix) == dict(a=1)


def test_lines_are_not_needed_to_read_json(tmp_path):
    deep = 250  # more than Python's parser, which finds the lines, can nest
    (tmp_path / "c.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")
    cfg = Config.fromfile(tmp_path / "c.json")
    assert str(cfg.origin("a")) == str(tmp_path / "c.json")
