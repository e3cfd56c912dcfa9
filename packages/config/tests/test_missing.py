"""Errors of missing keys."""

from __future__ import annotations

import copy
import pickle

import pytest

from eng.config import Config, ConfigDict


@pytest.fixture
def cfg(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text("\nlr: 1\ndb:\n  host: x\n  port: 1\n")
    (tmp_path / "c.yaml").write_text("_base_: base.yaml\nhooks:\n- type: A\n  Depth: 1\n")
    return Config.fromfile("c.yaml")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda cfg: cfg.db.hots, r"no key 'db\.hots' \(.*base\.yaml:3\); did you mean 'host'\?"),
        (lambda cfg: cfg.db["hots"], r"'db\.hots' \(.*base\.yaml:3\); did you mean 'host'\?"),
        (lambda cfg: cfg.hooks[0].tipe, r"'hooks\.0\.tipe' \(.*c\.yaml:3\); did you mean 'type'"),
        (lambda cfg: cfg.hooks[0].depth, r"'hooks\.0\.depth' .*did you mean 'Depth'"),
        (lambda cfg: cfg.ldr, r"no key 'ldr' \(c\.yaml\); did you mean 'lr'\?"),
        (lambda cfg: cfg["zzz"], r"no key 'zzz' \(c\.yaml\); known keys are .*lr, db"),
        (lambda cfg: cfg.__delattr__("lrr"), r"no key 'lrr' \(c\.yaml\); did you mean 'lr'\?"),
        (lambda cfg: cfg.db.__delattr__("hots"), r"no key 'db\.hots' .*'host'"),
        (lambda cfg: ConfigDict(host=1).hots, r"^no key 'hots'; did you mean 'host'\?$"),
        (lambda cfg: ConfigDict().hots, r"^no key 'hots'; the dict is empty$"),
    ],
)
def test_a_missing_key_is_named_with_its_place_and_the_closest(cfg, read, message):
    for kind in (AttributeError, KeyError):
        with pytest.raises(kind, match=message) as caught:
            read(cfg)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_copies_know_their_place(cfg):
    for copied in (copy.deepcopy(cfg), pickle.loads(pickle.dumps(cfg)), copy.copy(cfg)):
        with pytest.raises(AttributeError, match=r"'db\.hots' \(.*base\.yaml:3\)"):
            copied.db.hots


def test_defaults_work_as_for_any_mapping(cfg):
    assert not hasattr(cfg.db, "hots")
    assert getattr(cfg, "dbb", 3) == 3
    assert cfg.get("dbb") is None
    assert cfg.db.get("hots", 1) == 1
    with pytest.raises(KeyError) as caught:
        cfg.db["hots"]
    assert caught.value.args == ("hots",)


def test_a_changed_value_has_no_line(cfg):
    cfg.db.port = 2
    cfg.made = dict(a=1)
    with pytest.raises(AttributeError, match=r"^no key 'made\.b'; known keys are a$"):
        cfg.made.b


def test_only_few_of_many_keys_are_listed():
    many = ConfigDict({f"key_{index}": index for index in range(1000)})
    with pytest.raises(KeyError) as caught:
        many["zz"]
    assert str(caught.value).endswith("key_6, key_7, ...")
