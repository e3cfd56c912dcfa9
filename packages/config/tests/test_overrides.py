"""Options of the command line that probably are mistakes."""

from __future__ import annotations

import argparse
import warnings

import pytest

from eng.config import (
    Config,
    ConfigError,
    DictAction,
    add_config_arguments,
    config_from_arguments,
)

CONFIG = """\
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, nesterov=False))
train_cfg = dict(max_epochs=3, milestones=[8, 11])
custom_hooks = [dict(type='EMAHook')]
load_from = None
"""


def parse(*options):
    parser = argparse.ArgumentParser()
    parser.add_argument("--o", nargs="+", action=DictAction)
    return parser.parse_args(["--o", *options]).o


@pytest.fixture
def cfg(tmp_path):
    (tmp_path / "c.py").write_text(CONFIG)
    return Config.fromfile(tmp_path / "c.py")


MISTAKES = [
    ("optim_wraper.optimizer.lr=1", r"no key 'optim_wraper' \(.*c\.py\); did you mean 'optim_wra"),
    ("optim_wrapper.optimizer.lrr=1", r"'optim_wrapper\.optimizer\.lrr' .*c\.py:2.*mean 'lr'\?"),
    ("train_cfg.max_epoch=1", r"no key 'train_cfg\.max_epoch' .*did you mean 'max_epochs'\?"),
    ("train_cfg={'max_epoch':1}", r"'train_cfg\.max_epoch' .*did you mean 'max_epochs'\?"),
    ("custom_hooks.0.tipe=B", r"no key 'custom_hooks\.0\.tipe' \(.*c\.py:4\); did you mean 'type'"),
    (
        "optim_wrapper.optimizer.lr=0.1x",
        r"optim_wrapper\.optimizer\.lr: was a float \(0\.1\), got the text '0\.1x' \(.*c\.py:2\)",
    ),
    ("train_cfg.max_epochs=three", r"max_epochs: was an int \(3\), got the text 'three'"),
    ("optim_wrapper.optimizer.nesterov=Ture", r"was a bool \(False\), got the text 'Ture'"),
    ("train_cfg.milestones=8", r"milestones: was a list of 2, got 8"),
    ("train_cfg.milestones.0=x", r"milestones\.0: was an int \(8\), got the text 'x'"),
    ("train_cfg=3", r"train_cfg: was a dict of 2, got 3"),
]


@pytest.mark.parametrize(("option", "message"), MISTAKES)
def test_a_mistake_gets_one_warning_and_is_an_error_if_strict(cfg, option, message):
    before = cfg.to_dict()
    with pytest.raises(ConfigError, match=f"set by the command line: .*{message}"):
        cfg.merge_from_dict(parse(option), strict=True)
    assert cfg == before
    with pytest.warns(UserWarning, match=message) as caught:
        cfg.merge_from_dict(parse(option))
    assert len(caught) == 1
    assert cfg != before


def test_several_mistakes_are_told_at_once(cfg):
    options = parse("optim_wraper.x=1", "train_cfg.max_epochs=three")
    with pytest.warns(UserWarning, match=r"optim_wraper.*; train_cfg\.max_epochs: was") as caught:
        cfg.merge_from_dict(options)
    assert len(caught) == 1


@pytest.mark.parametrize(
    "option",
    [
        "randomness.seed=1",
        "optim_wrapper.clip_grad.max_norm=1",
        "optim_wrapper.optimizer.lr=1",
        "optim_wrapper.optimizer.lr=nan",
        "optim_wrapper.optimizer.lr=None",
        "optim_wrapper.optimizer.type=Adam",
        "train_cfg.milestones=[8]",
        "train_cfg=None",
        "load_from=x.pth",
        "optim_wrapper={'_delete_':True,'a':1}",
    ],
)
def test_what_may_be_meant_is_taken(cfg, option):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cfg.merge_from_dict(parse(option))


def test_code_may_add_any_key(cfg):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cfg.merge_from_dict({"optim_wraper.optimizer.lr": "0.1x"})
    with pytest.raises(ConfigError, match=r"no key 'something'"):
        cfg.merge_from_dict({"something": 1}, strict=True)


def test_strict_is_an_option_of_scripts(tmp_path):
    (tmp_path / "c.py").write_text(CONFIG)
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    options = ["--cfg-options", "new=1"]
    args = parser.parse_args([str(tmp_path / "c.py"), *options])
    assert config_from_arguments(args).new == 1
    args = parser.parse_args([str(tmp_path / "c.py"), "--strict", *options])
    with pytest.raises(ConfigError, match="no key 'new'"):
        config_from_arguments(args)
