import pickle
import traceback
import warnings
from pathlib import Path

import pytest

from eng.config import Config, ConfigError


def write(folder, **files):
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")


def test_bases_merge_and_origins(tmp_path):
    write(
        tmp_path,
        base_py="model = dict(type='A', depth=18, necks=[dict(a=1), dict(b=2)])\nlr = 0.1\n",
        child_py=(
            "_base_ = './base.py'\nmodel = dict(\n    depth=50,\n    necks={'0': dict(c=3)})\n"
            "double = {{ _base_.lr }} * 2\nname = 'lr {{ _base_.lr }} of {{ fileBasename }}'\n"
        ),
    )
    cfg = Config.fromfile(tmp_path / "child.py")
    assert cfg.model == dict(type="A", depth=50, necks=[dict(a=1, c=3), dict(b=2)])
    assert cfg.double == 0.2
    assert cfg.name == "lr 0.1 of child.py"
    assert str(cfg.origin("model.depth")).endswith("child.py:3")
    assert str(cfg.origin("model.type")).endswith("base.py:1")
    cfg.merge_from_dict({"model.necks.1.b": 5})
    assert cfg.model.necks[1].b == 5
    assert "code" in str(cfg.origin("model.necks.1.b"))


def test_delete_replaces_the_base(tmp_path):
    write(
        tmp_path,
        base_py="optimizer = dict(type='SGD', momentum=0.9)\n",
        child_py="_base_ = ['base.py']\noptimizer = dict(_delete_=True, type='Adam')\n",
    )
    assert Config.fromfile(tmp_path / "child.py").optimizer == dict(type="Adam")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (
            "c.py",
            "_base_ = 'base.py'\nother = dict(_delete_=True, b=1)",
            dict(a=1, other=dict(b=1)),
        ),
        ("c.py", "_base_ = 'base.py'\nb = dict(c=dict(_delete_=True))", dict(a=1, b=dict(c={}))),
        ("c.py", "_base_ = 'base.py'\nb = [dict(_delete_=True, c=1)]", dict(a=1, b=[dict(c=1)])),
        ("c.py", "a = 1\nb = dict(\n    c=dict(_delete_=True))", dict(a=1, b=dict(c={}))),
        ("c.py", "a = (dict(_delete_=True, b=2),)", dict(a=(dict(b=2),))),
        ("c.py", "_delete_ = True\na = 1", dict(a=1)),
        ("c.py", "_base_ = 'base.py'\n_delete_ = True\nb = 1", dict(b=1)),
        ("c.py", "_base_ = 'base.py'\na = dict(_delete_=True, b=1)", dict(a=dict(b=1))),
        ("c.json", '{"a": {"_delete_": true, "b": {"_delete_": true}}}', dict(a=dict(b={}))),
        ("c.yaml", "_base_: base.py\nc: {_delete_: true, d: 1}", dict(a=1, c=dict(d=1))),
        ("c.yaml", "_base_: base.py\nc: {_delete_: false, d: 1}", dict(a=1, c=dict(d=1))),
    ],
)
def test_a_mark_with_nothing_to_delete_is_dropped(tmp_path, name, text, value):
    write(tmp_path, base_py="a = 1\n")
    (tmp_path / name).write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Config.fromfile(tmp_path / name) == value


def test_a_mark_on_a_misspelt_key_gets_a_warning(tmp_path):
    write(
        tmp_path,
        base_py="a = dict(optimizer=dict(lr=1))\n",
        c_py="_base_ = 'base.py'\na = dict(\n    optimiser=dict(_delete_=True, lr=2))\n",
    )
    with pytest.warns(UserWarning, match=r"c\.py:3: a\.optimiser has _delete_.*mean 'optimizer'"):
        cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.a == dict(optimizer=dict(lr=1), optimiser=dict(lr=2))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.py", "_base_ = 'no.py'"),
        ("c.py", "_base_ = ['base.py', './deep/no.py']"),
        ("c.yaml", "_base_: no.py"),
        ("c.json", '{"_base_": ["no.yaml"]}'),
        ("c.py", "_base_ = '/no/such/base.py'"),
    ],
)
def test_a_missing_base_is_a_missing_file_too(tmp_path, name, text):
    write(tmp_path, base_py="a = 1\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(FileNotFoundError, match=rf"{name}:1: the base .* does not exist") as caught:
        Config.fromfile(tmp_path / name)
    assert isinstance(caught.value, ConfigError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.py", "a = 1\n_base_ = 'no.py'\n", r"c\.py:2: the base 'no\.py' does not exist"),
        (
            "c.py",
            "_base_ = 'base.py'\n\na = {{ _base_.no }}\n",
            r"c\.py:3: undefined variable _base_\.no",
        ),
        ("c.py", "a = 1\nb = '{{ $ENG_NOT_SET }}'\n", r"c\.py:2: .*ENG_NOT_SET is not set"),
        ("c.py", "a = 1\ntext = 'x'\n", r"c\.py:2: the key 'text' is reserved"),
        ("c.py", "a = (\n", r"c\.py:1: invalid Python"),
        ("c.py", "_base_ = 'base.py'\na = dict(b=1)\n", r"c\.py:2: a: cannot merge a dict"),
        ("c.yaml", "a: 1\nb: {c: 1, c: 2}\n", r"c\.yaml:2: duplicate key 'c'"),
        ("c.json", '{"a": 1,\n "a": 2}', r"c\.json:2: duplicate key 'a'"),
        ("c.yaml", "- 1\n", r"c\.yaml: the top level of the file must be a mapping"),
        (
            "c.py",
            "_base_ = ['base.py', 'other.py']\n",
            r"'a' in two bases: .*base.*other",
        ),
        ("c.py", "_base_ = 'c.py'\n", "circular bases: .* -> "),
        (
            "c.json",
            '{"_base_": "base.py",\n"a": {"b": 1}}',
            r"c\.json:2: a: cannot merge.*base\.py:1",
        ),
        ("c.json", '{"a": [{"b": 1},\n {"c": 1,\n "c": 2}]}', r"c\.json:3: duplicate key 'c'"),
        ("c.json", '{"_base_":\n "no.py"}', r"c\.json:1: the base 'no\.py' does not exist"),
        ("c.json", '{"a": 1,\n"b": {{ _base_.no }}}', r"c\.json:2: undefined variable _base_\.no"),
        ("c.yaml", "a: 1\n2: 3\n", r"c\.yaml:2: the key 2 must be a string"),
        ("c.yaml", "a: 1\nb: [\n", r"c\.yaml:\d: invalid YAML"),
        ("c.yaml", "a: 1\n_base_: 3\n", r"c\.yaml:2: _base_ must be a string or a list"),
        ("c.py", "\n_base_ = [1]\n", r"c\.py:2: _base_ must be a string or a list"),
        ("c.py", "\n_base_ = name\n", r"c\.py:2: _base_ cannot be evaluated: name 'name'"),
        ("c.py", "\n_base_ = 'no_such_pkg::a.py'\n", r"c\.py:2: .*no_such_pkg, which is not inst"),
        ("c.ini", "a = 1\n", r"c\.ini: unknown config format '\.ini': use py.* or toml"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, name, text, message):
    write(tmp_path, base_py="a = 1\n", other_py="a = 2\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        Config.fromfile(tmp_path / name)


def test_odd_paths_variables_and_tracebacks(tmp_path, monkeypatch):
    folder = tmp_path / "a b.c ü"
    folder.mkdir()
    write(
        folder,
        x_py="d = '{{ fileDirname }}'\nn = '{{$ENG_N:3}}'\ns = '{{fileBasenameNoExtension}}'",
    )
    monkeypatch.setenv("ENG_N", "7")
    cfg = Config.fromfile(folder / "x.py")
    assert (cfg.d, cfg.n, cfg.s) == (str(folder), "7", "x")
    write(folder, fail_py="a = 1\nb = 1 / 0\n")
    with pytest.raises(ZeroDivisionError) as info:
        Config.fromfile(folder / "fail.py")
    last = traceback.extract_tb(info.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == (str(folder / "fail.py"), 2)


@pytest.mark.parametrize(
    ("text", "unset", "set_to_list"),
    [
        ("n = {{'$ENG_N:80'}}", 80, [1, 2]),
        ('n = {{"$ENG_N:80"}}', 80, [1, 2]),
        ("n = {{ '$ENG_N: 80' }} + {{'$ENG_N:80'}}", 160, [1, 2, 1, 2]),
        ("n = '{{$ENG_N:80}}'", "80", "[1,2]"),
        ("n = '{{ $ENG_N : 80 }}/x'", "80/x", "[1,2]/x"),
        ("n = {{ $ENG_N:80 }}", 80, [1, 2]),
        ("n = ['{{ $ENG_N:a b }}']", ["a b"], ["[1,2]"]),
    ],
)
def test_variables_of_the_environment_in_python(tmp_path, monkeypatch, text, unset, set_to_list):
    write(tmp_path, c_py=text)
    monkeypatch.delenv("ENG_N", raising=False)
    assert Config.fromfile(tmp_path / "c.py").n == unset
    monkeypatch.setenv("ENG_N", "[1,2]")
    assert Config.fromfile(tmp_path / "c.py").n == set_to_list


def test_custom_imports_and_deprecation(tmp_path, monkeypatch):
    (tmp_path / "c.py").write_text(
        "custom_imports = dict(imports=['eng_no_such_module'], allow_failed_imports=False)\n"
        "_deprecation_ = dict(expected='new.py')\n"
    )
    with (
        pytest.warns(FutureWarning, match=r"Please use new\.py"),
        pytest.raises(ImportError, match=r"c\.py:1: .*eng_no_such_module"),
    ):
        Config.fromfile(tmp_path / "c.py")
    with pytest.warns(FutureWarning, match="deprecated"):
        cfg = Config.fromfile(tmp_path / "c.py", import_custom_modules=False)
    assert "_deprecation_" not in cfg


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("a = 1\nimport eng_no_such", ModuleNotFoundError, r"c\.py:2: No module named 'eng_no_s"),
        ("\nfrom eng_no_such.b import c", ModuleNotFoundError, r"c\.py:2: No module named 'eng_no"),
        ("from json import nope", ImportError, r"c\.py:1: cannot import name 'nope' from 'json'"),
        ("def f():\n    import eng_no_such\n\nf()", ModuleNotFoundError, r"c\.py:2: No module"),
        ("x = __import__('eng_no_such')", ModuleNotFoundError, r"c\.py:1: No module named"),
        ("_base_ = 'bad.py'", ModuleNotFoundError, r"bad\.py:3: No module named 'eng_no_such'"),
        ("import eng_bad_for_test", ModuleNotFoundError, r"c\.py:1: No module named 'eng_inner'"),
        ("raise ImportError('my words')", ImportError, r"c\.py:1: my words"),
    ],
)
def test_an_import_that_fails_is_named_with_its_line(tmp_path, monkeypatch, text, kind, message):
    write(tmp_path, bad_py="\n\nimport eng_no_such\n", eng_bad_for_test_py="import eng_inner\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "c.py").write_text(text)
    with pytest.raises(ImportError, match=message) as caught:
        Config.fromfile(tmp_path / "c.py", lazy_import=False)
    assert type(caught.value) is kind
    assert str(caught.value).count(str(tmp_path)) == 1
    assert isinstance(caught.value.__cause__, kind)
    assert caught.value.name == caught.value.__cause__.name


@pytest.mark.parametrize(
    "imports",
    [
        "from eng_no_such.models import build",
        "import eng_no_such as build",
        "from eng_no_such import build, show",
        "import build.inner",
    ],
)
def test_what_a_config_does_as_a_script_needs_nothing_to_read_it(tmp_path, imports):
    script = "\nif __name__ == '__main__':\n    show = build\n    a = build(a)\n"
    (tmp_path / "c.py").write_text(f"{imports}\nimport json\na = json.loads('1')\n{script}")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg == dict(a=1)
    assert cfg.origin("a").line == 3
    (tmp_path / "c.py").write_text(f"{imports}\na = build\n{script}")
    with pytest.raises(ImportError, match=r"c\.py:1: No module named"):
        Config.fromfile(tmp_path / "c.py", lazy_import=False)
    (tmp_path / "c.py").write_text("if __name__ == '__main__':\n    a = 1\nelse:\n    a = 2\n")
    assert Config.fromfile(tmp_path / "c.py") == dict(a=2)


def test_text_can_be_read_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, base_py="a = dict(b=1)\n")
    cfg = Config.fromstring("_base_ = 'base.py'\nc = {{ _base_.a.b }} + 1\n", ".py")
    assert (cfg.a.b, cfg.c, cfg.filename) == (1, 2, None)
    assert cfg.origin("c").line == 2
    assert cfg.text.startswith("_base_ =")
    assert Config.fromstring('{"a": 1}', "json") == Config.fromstring("a: 1", "yaml") == dict(a=1)
    assert [path.name for path in tmp_path.iterdir()] == ["base.py"]
    with pytest.raises(ConfigError, match=r"<string>\.py:2: invalid Python"):
        Config.fromstring("a = 1\nb = =\n", "py")
    with pytest.raises(ConfigError, match=r"'\.ini'.*use py, yaml"):
        Config.fromstring("a", "ini")


def test_a_link_stands_where_it_is_and_cycles_through_links_are_found(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    write(tmp_path / "real", c_py="_base_ = 'base.py'\nd = '{{ fileDirname }}'\n")
    write(tmp_path / "links", base_py="a = 'of the link'\n")
    (tmp_path / "links" / "c.py").symlink_to(tmp_path / "real" / "c.py")
    cfg = Config.fromfile(tmp_path / "links" / "c.py")
    assert (cfg.a, cfg.d) == ("of the link", str(tmp_path / "links"))
    (tmp_path / "real" / "base.py").symlink_to(tmp_path / "real" / "c.py")
    with pytest.raises(ConfigError, match="circular bases"):
        Config.fromfile(tmp_path / "real" / "c.py")


def test_bases_by_absolute_path_and_in_several_levels(tmp_path):
    (tmp_path / "deep").mkdir()
    write(tmp_path, a_py="x = 1\n", b_yaml="_base_: a.py\ny: 2\n", other_json='{"z": 3}')
    write(tmp_path / "deep", c_py=f"_base_ = ['../b.yaml', {str(tmp_path / 'other.json')!r}]\n")
    cfg = Config.fromfile(tmp_path / "deep" / "c.py")
    assert cfg == dict(x=1, y=2, z=3)
    for name in ("a.py", "b.yaml", "other.json", "c.py"):
        assert name in cfg.text


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "c.py").write_bytes("a = 'ü'".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"c\.py: the file is not encoded in UTF-8"):
        Config.fromfile(tmp_path / "c.py")
    with pytest.raises(FileNotFoundError, match="no_such"):
        Config.fromfile(tmp_path / "no_such.py")


def test_the_first_of_many_duplicate_keys_is_named(tmp_path: Path) -> None:
    keys = "".join(f"{name} = 1\n" for name in "zyxwvutsabc")
    (tmp_path / "one.py").write_text(keys)
    (tmp_path / "two.py").write_text("other = 1\n" + keys)
    (tmp_path / "both.py").write_text("_base_ = ['one.py', 'two.py']\n")
    with pytest.raises(ConfigError, match=r"duplicate key 'z' .*one\.py:1 and .*two\.py:2"):
        Config.fromfile(tmp_path / "both.py")
