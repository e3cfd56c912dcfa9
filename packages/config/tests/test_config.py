import collections
import copy
import pickle
from collections.abc import Hashable, MutableMapping

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
    with pytest.raises(ConfigError, match=r"a\.b cannot be dumped as py: it contains a variable"):
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


def test_popitem_takes_the_last_key():
    cfg = Config(dict(a=1, b=dict(c=2)))
    cfg.d = 3
    assert cfg.popitem() == ("d", 3)
    key, value = cfg.popitem()
    assert (key, value) == ("b", dict(c=2))
    assert isinstance(value, ConfigDict)
    assert cfg == dict(a=1)
    cfg.popitem()
    with pytest.raises(KeyError):
        cfg.popitem()


@pytest.mark.parametrize("value", [Config(dict(a=1)), ConfigDict(a=1), Config()])
def test_a_config_has_no_hash_as_it_can_change(value):
    with pytest.raises(TypeError, match=f"unhashable type: '{type(value).__name__}'"):
        hash(value)
    assert not isinstance(value, Hashable)
    with pytest.raises(TypeError, match="unhashable"):
        {value: 1}
    assert {Config(dict(a=1)).dump(): 1} == {"a = 1\n": 1}


def test_the_text_is_that_of_the_file(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes("\ufeffa = 1  # é\n".encode())
    for name in (path, str(path)):
        cfg = Config(dict(b=2), filename=name)
        assert (cfg.text, cfg.filename, cfg) == ("a = 1  # é\n", str(path), dict(b=2))
        assert copy.copy(cfg).text == copy.deepcopy(cfg).text == cfg.text
        path.touch()
    assert Config(dict(b=2), cfg_text="x", filename=path).text == "x"
    assert Config(dict(b=2), cfg_text="", filename=path).text == ""
    assert Config(dict(b=2), filename=tmp_path / "absent.py").text == ""
    assert Config(dict(b=2), filename=tmp_path).text == ""
    assert Config(dict(b=2)).text == ""
    (tmp_path / "b.pth").write_bytes(b"\x80\xff")
    assert Config(filename=tmp_path / "b.pth").text == "\ufffd\ufffd"
    copied = copy.copy(cfg)
    path.write_text("c = 3\n")
    assert copied.text == pickle.loads(pickle.dumps(cfg)).text == "a = 1  # é\n"


class Special(dict):
    pass


class Named(collections.OrderedDict):
    pass


KEPT = [
    collections.defaultdict(list, a=[1]),
    collections.Counter("aab"),
    Special(a=dict(b=1)),
    Named(z=1, y=2),
    collections.defaultdict(lambda: 3),
]


@pytest.mark.parametrize("value", KEPT)
def test_subclasses_of_dict_keep_their_class(value):
    made = ConfigDict(a=value, b=[value, (value,)], c=dict(d=value))
    cfg = Config(dict(a=value, b=[value, (value,)], c=dict(d=value)))
    cfg.set = value
    cfg.merge_from_dict({"new": value, "c.e": value, "f": 1})
    plain = cfg.to_dict()
    found = [made.a, made.b[0], made.b[1][0], made.c.d, cfg.a, cfg.b[0], cfg.c.d, cfg.set, cfg.new]
    found += [cfg.c.e, plain["a"], plain["b"][1][0], plain["c"]["d"], copy.deepcopy(cfg).a]
    for each in found:
        assert type(each) is type(value)
        assert each == value
    if isinstance(value, collections.defaultdict):
        assert cfg.a.default_factory is plain["a"].default_factory is value.default_factory


def test_a_merge_into_a_subclass_of_dict_keeps_its_class_and_leaves_the_original(tmp_path):
    counter = collections.Counter(a=1)
    cfg = Config(dict(x=counter, y=collections.OrderedDict(a=1)))
    cfg.merge_from_dict({"x.b": 2})
    assert (type(cfg.x), cfg.x, counter) == (collections.Counter, dict(a=1, b=2), dict(a=1))
    assert type(cfg.y) is ConfigDict
    (tmp_path / "base.py").write_text(
        "from collections import Counter\nx = Counter(a=1)\nz = dict(k=Counter(b=2))\n"
    )
    (tmp_path / "c.py").write_text("_base_ = 'base.py'\nx = dict(c=3)\ny = [_base_.z.k]\n")
    cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg == dict(x=dict(a=1, c=3), y=[dict(b=2)], z=dict(k=dict(b=2)))
    assert type(cfg.x) is type(cfg.y[0]) is type(cfg.z.k) is collections.Counter
    cfg.x["c"] = 4
    assert str(cfg.origin("x.c")) == "set by code"


def test_a_pickle_of_mmengine_has_its_state_in_a_tuple():
    values = ConfigDict(a=1, model=dict(type="A"))
    cfg = Config.__new__(Config)
    cfg.__setstate__((values, "a.py", "a = 1\n", {"HOME": "x"}, True, {"Runner"}))
    assert (cfg.filename, cfg.text, cfg.env_variables) == ("a.py", "a = 1\n", {"HOME": "x"})
    assert cfg.model.type == "A"
    assert cfg.to_dict() == {"a": 1, "model": {"type": "A"}}
    assert "a = 1" in cfg.pretty_text
    copied = pickle.loads(pickle.dumps(cfg))
    assert copied._imported_names == {"Runner"}
    earlier = Config.__new__(Config)
    earlier.__setstate__(({"a": [{"b": 2}]}, None, "", {}))
    assert earlier.a[0].b == 2
    assert earlier.filename is None
