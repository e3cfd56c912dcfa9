import argparse
import copy
import pickle
import traceback
from collections.abc import MutableMapping

import pytest

from eng.config import Config, ConfigDict, ConfigError, DictAction, diff


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
        bad_py="_base_ = ['base.py']\nother = dict(_delete_=True, type='Adam')\n",
    )
    assert Config.fromfile(tmp_path / "child.py").optimizer == dict(type="Adam")
    with pytest.raises(ConfigError, match=r"bad\.py:2: other has _delete_"):
        Config.fromfile(tmp_path / "bad.py")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "_base_: base.py\nx: {{ _base_.a.b }}\ny: 'v {{ _base_.a.b }}'\n"),
        ("c.json", '{"_base_": "base.py", "x": {{ _base_.a.b }}, "y": "v {{ _base_.a.b }}"}'),
    ],
)
def test_base_variables_in_data_files(tmp_path, name, text):
    write(tmp_path, base_py="a = dict(b=3)\n")
    (tmp_path / name).write_text(text)
    cfg = Config.fromfile(tmp_path / name)
    assert (cfg.x, cfg.y, cfg.a.b) == (3, "v 3", 3)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.py", "a = 1\n_base_ = 'no.py'\n", r"c\.py:2: the base 'no\.py' does not exist"),
        ("c.py", "_base_ = 'base.py'\n\na = {{ _base_.no }}\n", r"c\.py:3: no base .*_base_\.no"),
        ("c.py", "a = 1\nb = '{{ $ENG_NOT_SET }}'\n", r"c\.py:2: .*ENG_NOT_SET is not set"),
        ("c.py", "a = 1\ntext = 'x'\n", r"c\.py:2: the key 'text' is reserved"),
        ("c.py", "a = (\n", r"c\.py:1: no valid python"),
        ("c.py", "_base_ = 'base.py'\na = dict(b=1)\n", r"c\.py:2: a is a dict"),
        ("c.yaml", "a: 1\nb: {c: 1, c: 2}\n", r"c\.yaml:2: the key 'c' is there twice"),
        ("c.json", '{"a": 1,\n "a": 2}', r"c\.json:2: the key 'a' is there twice"),
        ("c.yaml", "- 1\n", r"c\.yaml: the file must hold a mapping"),
        ("c.py", "_base_ = ['base.py', 'other.py']\n", r"'a' is in two bases: .*base.*other"),
        ("c.py", "_base_ = 'c.py'\n", "the base files form a cycle: .* -> "),
        ("c.py", "a = 1\nb = dict(\n    c=dict(_delete_=True))\n", r"c\.py:3: b\.c has _delete_"),
        ("c.py", "a = [dict(\n    _delete_=True)]\n", r"c\.py:2: a\.0 has _delete_"),
        ("c.py", "_delete_ = True\n", r"c\.py:1: the file has _delete_"),
        ("c.json", '{"a": {\n"_delete_": true}}', r"c\.json:2: a has _delete_"),
        (
            "c.py",
            "_base_ = 'base.py'\nb = dict(\n    c=dict(_delete_=True))\n",
            r"c\.py:3: b\.c has _delete_",
        ),
        ("c.json", '{"_base_": "base.py",\n"a": {"b": 1}}', r"c\.json:2: a is a dict.*base\.py:1"),
        ("c.json", '{"a": [{"b": 1},\n {"c": 1,\n "c": 2}]}', r"c\.json:3: the key 'c' is there t"),
        ("c.json", '{"_base_":\n "no.py"}', r"c\.json:1: the base 'no\.py' does not exist"),
        ("c.json", '{"a": 1,\n"b": {{ _base_.no }}}', r"c\.json:2: no base .*_base_\.no"),
        ("c.yaml", "a: 1\n2: 3\n", r"c\.yaml:2: the key 2 must be a string"),
        ("c.yaml", "a: 1\nb: [\n", r"c\.yaml:\d: no valid yaml"),
        ("c.yaml", "a: 1\n_base_: 3\n", r"c\.yaml:2: _base_ must be a string or a list"),
        ("c.py", "\n_base_ = [1]\n", r"c\.py:2: _base_ must be a string or a list"),
        ("c.py", "\n_base_ = name\n", r"c\.py:2: _base_ must be .* written out"),
        ("c.py", "\n_base_ = 'no_such_pkg::a.py'\n", r"c\.py:2: .*no_such_pkg, which is not inst"),
        ("c.toml", "a = 1\n", r"c\.toml: no config format '\.toml': use py"),
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


def test_a_miss_is_an_error_and_copies_are_equal():
    cfg = Config(dict(a=dict(b=[dict(c=1)])))
    with pytest.raises(AttributeError):
        cfg.a.missing
    with pytest.raises(KeyError):
        cfg.a["missing"]
    assert dict(**cfg.a) == {"b": [{"c": 1}]}
    for other in (pickle.loads(pickle.dumps(cfg)), copy.deepcopy(cfg), copy.copy(cfg)):
        assert other == cfg
        assert isinstance(other.a.b[0], ConfigDict)
    deep = copy.deepcopy(cfg)
    deep.a.b[0].c = 2
    assert cfg.a.b[0].c == 1
    assert [tuple(each) for each in diff(cfg, deep)] == [("a.b.0.c", 1, 2)]


def test_what_cannot_be_dumped_is_named(tmp_path):
    target = tmp_path / "c.py"
    target.write_text("a = 1\n")
    with pytest.raises(ConfigError, match=r"model\.fn"):
        Config(dict(model=dict(fn=lambda: 1))).dump(target)
    assert target.read_text() == "a = 1\n"
    with pytest.raises(ConfigError, match=r"a\.b cannot be dumped as py: it has a variable"):
        Config(dict(a=dict(b="{{ $HOME }}"))).dump()
    with pytest.raises(ConfigError, match="dict cannot be dumped as py: the key cannot be a name"):
        Config({"dict": 1}).dump()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,2.5,x", [1, 2.5, "x"]),
        ("[(1,2),(3,4)]", [(1, 2), (3, 4)]),
        ("(a,[b,None])", ("a", ["b", None])),
        ("true", True),
        ("a=b", "a=b"),
        ("[1]", [1]),
        ("'1,2'", "1,2"),
    ],
)
def test_dict_action(text, value):
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    assert parser.parse_args(["--o", f"k={text}"]).o == {"k": value}


def test_a_base_out_of_a_package_brings_its_scope(tmp_path, monkeypatch):
    package = tmp_path / "eng_pkg_for_test"
    (package / "configs").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "configs" / "b.py").write_text("model = dict(type='R', neck=dict(type='N'))\n")
    (tmp_path / "c.py").write_text("_base_ = 'eng_pkg_for_test::b.py'\nx = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.model._scope_ == cfg.model.neck._scope_ == "eng_pkg_for_test"
    (tmp_path / "c.py").write_text("_base_ = 'eng_no_such_package::b.py'\n")
    with pytest.raises(ConfigError, match="not installed"):
        Config.fromfile(tmp_path / "c.py")


def test_custom_imports_and_deprecation(tmp_path, monkeypatch):
    (tmp_path / "c.py").write_text(
        "custom_imports = dict(imports=['eng_no_such_module'], allow_failed_imports=False)\n"
        "_deprecation_ = dict(expected='new.py')\n"
    )
    with (
        pytest.warns(FutureWarning, match=r"Please use new\.py"),
        pytest.raises(ImportError, match="eng_no_such_module"),
    ):
        Config.fromfile(tmp_path / "c.py")
    with pytest.warns(FutureWarning, match="deprecated"):
        cfg = Config.fromfile(tmp_path / "c.py", import_custom_modules=False)
    assert "_deprecation_" not in cfg


def test_auto_argparser(tmp_path, monkeypatch):
    path = tmp_path / "c.py"
    path.write_text("lr = 0.1\nmodel = dict(depth=18, name='a')\nsteps = [1, 2]\n")
    argv = ["prog", str(path), "--lr", "0.5", "--model.depth", "50", "--steps", "3", "4"]
    monkeypatch.setattr("sys.argv", argv)
    parser, cfg = Config.auto_argparser()
    args = vars(parser.parse_args())
    assert (args["lr"], args["model.depth"], args["steps"]) == (0.5, 50, [3, 4])
    assert cfg.model.depth == 18
    with pytest.raises(ConfigError, match="both"):
        cfg.merge_from_dict({"a": 1, "a.b": 2})


@pytest.mark.parametrize("suffix", ["json", "yaml", "py"])
def test_every_value_knows_its_line(tmp_path, suffix):
    text = {
        "json": '\n {"a": 1,\n  "b": {\n    "c": [\n      1,\n      {"d": true}\n    ]}}\n',
        "yaml": "\na: 1\nb:\n  c:\n    - 1\n    - d: true\n",
        "py": "\na = 1\nb = dict(\n    c=[\n        1,\n        dict(d=True)])\n",
    }[suffix]
    path = tmp_path / f"c.{suffix}"
    path.write_text(text)
    cfg = Config.fromfile(path)
    line = {"a": 2, "b": 3, "b.c": 4, "b.c.0": 5, "b.c.1.d": 6}
    assert {key: cfg.origin(key).line for key in line} == line
    assert cfg.origin("b").file == str(path)
    with pytest.raises(KeyError, match=r"'b\.c\.7': '7' is missing"):
        cfg.origin("b.c.7")


def test_lines_are_not_needed_to_read_json(tmp_path):
    deep = 250  # more than Python's parser, which finds the lines, can nest
    (tmp_path / "c.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")
    cfg = Config.fromfile(tmp_path / "c.json")
    assert str(cfg.origin("a")) == str(tmp_path / "c.json")


def test_code_and_command_line_are_origins(tmp_path):
    path = tmp_path / "c.py"
    path.write_text("a = dict(b=1, c=2, d=dict(e=3))\n")
    cfg = Config.fromfile(path)
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    cfg.merge_from_dict(parser.parse_args(["--o", "a.b=5"]).o)
    cfg.merge_from_dict({"a.new": 1})
    cfg.a.d.e = 4
    origins = {key: str(cfg.origin(key)) for key in ("a.b", "a.new", "a.d.e", "a.c")}
    assert origins == {
        "a.b": "set by the command line",
        "a.new": "set by code",
        "a.d.e": "set by code",
        "a.c": f"{path}:1",
    }
    assert pickle.loads(pickle.dumps(cfg)).origin("a.c").line == 1
    cfg.merge_from_dict({"a.d": dict(_delete_=True, f=1)})
    assert cfg.a.d == dict(f=1)


def test_text_can_be_read_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, base_py="a = dict(b=1)\n")
    cfg = Config.fromstring("_base_ = 'base.py'\nc = {{ _base_.a.b }} + 1\n", ".py")
    assert (cfg.a.b, cfg.c, cfg.filename) == (1, 2, None)
    assert cfg.origin("c").line == 2
    assert cfg.text.startswith("_base_ =")
    assert Config.fromstring('{"a": 1}', "json") == Config.fromstring("a: 1", "yaml") == dict(a=1)
    assert [path.name for path in tmp_path.iterdir()] == ["base.py"]
    with pytest.raises(ConfigError, match=r"<string>\.py:2: no valid python"):
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
    with pytest.raises(ConfigError, match="form a cycle"):
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


def test_the_config_is_a_mapping():
    cfg = Config(dict(a=1, b=dict(c=2)))
    assert isinstance(cfg, MutableMapping)
    assert dict(**cfg) == {"a": 1, "b": {"c": 2}}
    assert cfg.pop("a") == 1
    assert cfg.setdefault("d", dict(e=3)).e == 3
    cfg.update(f=4)
    del cfg.f
    assert list(cfg) == ["b", "d"]
    assert cfg.get("zzz", 7) == 7
    with pytest.raises(AttributeError):
        del cfg.f
    with pytest.raises(TypeError, match="must be a dict"):
        Config([])
    with pytest.raises(ConfigError, match="'filename' is reserved"):
        Config(dict(filename=1))
    plain = ConfigDict(a=[dict(b=1)], c=(dict(d=2),))
    assert plain.a[0].b == 1
    assert plain.c[0].d == 2
    assert (plain | dict(e=5)).e == 5
    assert type(plain.to_dict()["a"][0]) is dict
    with pytest.raises(AttributeError, match="'keys' is a method"):
        plain.keys = 1
