import copy
import pickle
from collections.abc import MutableMapping

import pytest

from eng.config import Config, ConfigDict, ConfigError, diff


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
