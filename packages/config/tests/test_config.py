import argparse
import copy
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    with pytest.raises(ConfigError, match=r"a\.b has a variable"):
        Config(dict(a=dict(b="{{ $HOME }}"))).dump()
    with pytest.raises(ConfigError, match="'dict' cannot be a name"):
        Config({"dict": 1}).dump()
    text = Config(dict(p=Path("a/b"), o=argparse.ArgumentParser, s={2, 1})).dump()
    assert text == "p = 'a/b'\no = 'argparse.ArgumentParser'\ns = {1, 2}\n"


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


names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(
    lambda n: n not in {"filename", "text", "pretty_text"} and n.isidentifier()
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text("abc {}'\"\\\n:#üé$,", max_size=12).filter(lambda t: "{{" not in t)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, values, max_size=4), st.sampled_from(["py", "yaml", "json"]))
def test_a_dump_loads_again_and_is_stable(tmp_path_factory, data, suffix):
    import keyword

    if any(keyword.iskeyword(key) for key in data):
        return
    path = tmp_path_factory.mktemp("dump") / f"c.{suffix}"
    cfg = Config(data)
    cfg.dump(path)
    again = Config.fromfile(path, use_predefined_variables=False)
    assert again == cfg
    assert again.pretty_text == cfg.pretty_text


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
        pytest.warns(DeprecationWarning, match=r"Please use new\.py"),
        pytest.raises(ImportError, match="eng_no_such_module"),
    ):
        Config.fromfile(tmp_path / "c.py")
    with pytest.warns(DeprecationWarning, match="deprecated"):
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
