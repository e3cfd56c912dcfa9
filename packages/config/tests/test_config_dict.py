import copy
import pickle
from collections import OrderedDict, defaultdict

import pytest

from eng.config import Config, ConfigDict


@pytest.mark.parametrize("kind", [ConfigDict, Config])
def test_update_merges_dictionaries(kind):
    cfg = kind(dict(x=dict(y=1, z=2), l=[1], h=dict(type="H", deep=dict(a=1, b=2))))
    inner = cfg.x
    cfg.update(x=dict(y=5), l=[2])
    cfg.update(dict(h=dict(deep=dict(b=3), c=ConfigDict(d=1))), new=dict(q=1))
    cfg.update([("m", 1)], n=2)
    assert cfg == dict(
        x=dict(y=5, z=2),
        l=[2],
        h=dict(type="H", deep=dict(a=1, b=3), c=dict(d=1)),
        new=dict(q=1),
        m=1,
        n=2,
    )
    assert cfg.x is inner
    cfg.update(x=dict(_delete_=True, w=1), l=dict(a=1), h=3)
    assert (cfg.x, cfg.l, cfg.h) == (dict(w=1), dict(a=1), 3)
    cfg.update()
    assert len(cfg) == 6
    with pytest.raises(TypeError):
        cfg.update({}, {})


def test_pop_gives_a_default_for_what_is_missing():
    for cfg in (ConfigDict(a=dict(b=1)), Config(dict(a=dict(b=1)))):
        assert (cfg.pop("nope"), cfg.pop("nope", 3), cfg.pop("a").b, len(cfg)) == (None, 3, 1, 0)


def test_merge_merges_all_the_way_down():
    cfg = ConfigDict(backbone=dict(a=1, b=2), l=[dict(x=1)], n=1)
    backbone = cfg.backbone
    cfg.merge(dict(backbone=dict(c=dict(d=1)), l=[2], m=dict(_delete_=True, q=1)))
    assert cfg == dict(backbone=dict(a=1, b=2, c=dict(d=1)), l=[2], n=1, m=dict(q=1))
    assert cfg.backbone is backbone
    assert cfg.backbone.c.d == 1
    cfg.merge(dict(backbone=dict(_delete_=True, c=3)))
    assert cfg.backbone == dict(c=3)
    for key in ("n", "l"):
        with pytest.raises(TypeError, match="_delete_"):
            cfg.merge({key: dict(a=1)})
    cfg.merge(cfg)
    assert cfg.backbone == dict(c=3)


def test_a_config_dict_is_a_dict():
    cfg = ConfigDict(OrderedDict(a=dict(b=[dict(c=1)])), d=(dict(e=2),), f=defaultdict(list))
    assert (cfg.a.b[0].c, cfg.d[0].e, type(cfg.f), type(cfg.a)) == (1, 2, defaultdict, ConfigDict)
    assert cfg == {"a": {"b": [{"c": 1}]}, "d": ({"e": 2},), "f": {}}
    assert type(cfg.items()) is type(cfg.values()) is list
    assert cfg.keys() == {"a", "d", "f"}
    assert (cfg.get("x"), cfg.get("x", 1), cfg.get("a").b[0].c) == (None, 1, 1)
    with pytest.raises(KeyError):
        cfg["x"]
    with pytest.raises(AttributeError):
        cfg.x
    assert type(cfg.to_dict()["a"]) is dict
    assert copy.copy(cfg).a is cfg.copy().a is cfg.a
    assert copy.deepcopy(cfg).a is not cfg.a
    assert pickle.loads(pickle.dumps(cfg)) == copy.deepcopy(cfg) == cfg
    union = cfg | {"a": 1}
    union |= {"d": {"x": 1}}
    assert (union.a, union.d.x, ({"a": 2} | cfg).a) == (1, 1, cfg.a)
    assert [*cfg] == list({**cfg}) == ["a", "d", "f"]
    assert cfg.popitem() == ("f", {})


def test_the_variables_of_the_environment_that_were_used(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("ENG_A", "1")
    monkeypatch.setenv("ENG_B", "t")
    monkeypatch.setenv("ENG_S", "hidden-word")
    monkeypatch.delenv("ENG_C", raising=False)
    (tmp_path / "base.py").write_text("a = '{{ $ENG_A : 7 }}/x'\n")
    (tmp_path / "c.py").write_text(
        "_base_ = 'base.py'\nb = '{{$ENG_B:}}'\nc = {{'$ENG_C:80'}}\n"
        "s = '{{ secret $ENG_S }}'\nd = '{{ fileBasename }}'\n"
    )
    with caplog.at_level("INFO", logger="eng.config"):
        cfg = Config.fromfile(tmp_path / "c.py")
    assert cfg.to_dict() == dict(a="1/x", b="t", c=80, s="hidden-word", d="c.py")
    assert [line.rpartition("environment variable ")[2] for line in caplog.messages] == [
        "ENG_A: 1",
        "ENG_B: t",
        "ENG_S: {{ secret $ENG_S }}",
    ]
    assert cfg.env_variables == dict(ENG_A="1", ENG_B="t", ENG_S="{{ secret $ENG_S }}")
    assert copy.deepcopy(cfg).env_variables == cfg.env_variables
    (tmp_path / "d.py").write_text("b = '{{$ENG_B:}}'\nd = '{{ fileBasename }}'\n")
    cfg = Config.fromfile(tmp_path / "d.py", use_environment_variables=False)
    assert cfg == dict(b="{{$ENG_B:}}", d="d.py")
    assert cfg.env_variables == {}
    cfg = Config.fromfile(tmp_path / "d.py", use_predefined_variables=False)
    assert cfg == dict(b="t", d="{{ fileBasename }}")
    with pytest.raises(TypeError):
        Config.fromfile(tmp_path / "c.py", use_environment_variables=False)
    (tmp_path / "e.py").write_text("b = '{{$ENG_C:}}'\n")
    with pytest.raises(KeyError, match="ENG_C is not set"):
        Config.fromfile(tmp_path / "e.py")
    monkeypatch.setenv("ENG_C", "")
    assert Config.fromfile(tmp_path / "e.py").b == ""


def test_the_diff_of_two_configs(tmp_path):
    left, right = (
        Config(dict(a=1, b=dict(c=2, d=[1, 2]))),
        Config(dict(a=1, b=dict(c=3, d=[1, 2]), e="n")),
    )
    assert Config.diff(left, right) == (
        "--- \n\n+++ \n\n@@ -1,3 +1,4 @@\n\n a = 1\n-b = dict(c=2, d=[1, 2])\n"
        "+b = dict(c=3, d=[1, 2])\n+e = 'n'\n \n\n"
    )
    assert Config.diff(left, left).strip() == ""
    left.dump(tmp_path / "l.py")
    right.dump(tmp_path / "r.yaml")
    files = Config.diff(str(tmp_path / "l.py"), str(tmp_path / "r.yaml"))
    assert files == Config.diff(left, right)


def test_merging_of_plain_dictionaries():
    merge = Config._merge_a_into_b
    base = {"o": {"a": 1, "b": 1}}
    assert merge({"o": {"a": 2}}, base) == {"o": {"a": 2, "b": 1}}
    assert base == {"o": {"a": 1, "b": 1}}
    assert merge({"0": {"a": 2}}, [{"a": 1}, {"b": 2}], True) == [{"a": 2}, {"b": 2}]
    assert merge({"n": {"_delete_": True, "a": 2}}, {}) == {"n": {"a": 2}}
    with pytest.raises(TypeError, match="_delete_"):
        merge({"o": {"a": {"x": 1}}}, base)
    with pytest.raises(TypeError):
        merge({"l": {"0": 1}}, {"l": [2]})
    with pytest.raises(KeyError, match="7"):
        merge({"l": {"7": 1}}, {"l": [2]}, True)


def test_an_unknown_format_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="cfg"):
        Config.fromstring("a = 1", ".cfg")
    (tmp_path / "c.ini").write_text("")
    with pytest.raises(OSError, match="ini"):
        Config.fromfile(tmp_path / "c.ini")
    with pytest.raises(OSError, match="ini"):
        Config(dict(a=1)).dump(tmp_path / "d.ini")
    assert Config(dict(a=1), format_python_code=False).pretty_text == "a = 1\n"


def test_options_of_a_config():
    import argparse

    from eng.config.options import add_args

    parser = add_args(argparse.ArgumentParser(), dict(a=1, b=dict(c=[1.0], d=True)), "x.")
    options = vars(parser.parse_args(["--x.a", "3", "--x.b.c", "2", "4", "--x.b.d"]))
    assert options == {"x.a": 3, "x.b.c": [2.0, 4.0], "x.b.d": True}


class OriginalConfig:
    """Pickled as a config with a tuple for its state, as MMEngine's are."""

    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return object.__new__, (Config,), self.state


@pytest.mark.parametrize(
    "further", [(), ({"ENG_A": "1"},), ({"ENG_A": "1"}, True, {"nn"}), ({"ENG_A": "1"}, {"nn"})]
)
def test_a_config_that_was_pickled_with_a_tuple_state_is_read(further):
    values = ConfigDict(a=dict(b=[1, dict(c=2)]))
    cfg = pickle.loads(pickle.dumps(OriginalConfig(values, "x.py", "a = 1", *further)))
    assert cfg == values
    assert (cfg.a.b[1].c, cfg.filename, cfg.text) == (2, "x.py", "a = 1")
    assert cfg.env_variables == (further[0] if further else {})
    assert cfg._imported_names == ({"nn"} if {"nn"} in further else set())
    cfg.merge_from_dict({"a.b.1.c": 3})
    for each in (cfg, copy.deepcopy(cfg), pickle.loads(pickle.dumps(cfg))):
        assert each.to_dict() == {"a": {"b": [1, {"c": 3}]}}
    cfg = pickle.loads(pickle.dumps(OriginalConfig(values, None, None)))
    assert (cfg.filename, cfg.text) == (None, "")


@pytest.mark.parametrize("name", ["self", "other", "key", "default", "args", "cfg_dict"])
def test_any_name_is_a_key(name):
    cfg = ConfigDict(**{name: dict(a=1)})
    cfg.update(**{name: dict(b=2)})
    assert cfg == {name: {"a": 1, "b": 2}}
    whole = Config(dict(cfg))
    whole.update(**{name: dict(c=3)})
    assert whole[name] == {"a": 1, "b": 2, "c": 3}
