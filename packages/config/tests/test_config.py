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
