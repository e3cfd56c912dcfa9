"""Loops that are configs until somebody asks for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from eng.hooks import Hook
from eng.optim import MultiStepLR, OptimWrapper
from eng.runner import BaseLoop, Runner, RunnerConfigError
from eng.runner.loops import LoopSlot


class Loop(BaseLoop):
    max_epochs = 3

    def __init__(self) -> None:
        pass

    def run(self) -> None:
        pass


def slot(loop: Any, built: list[Any] | None = None) -> LoopSlot[Any]:
    def build(cfg: Any) -> Loop:
        if built is not None:
            built.append(cfg)
        return Loop()

    given = (None, None, None) if loop is None else ([], loop, {})
    return LoopSlot("val", "val_evaluator", given, build)


def test_a_loop_is_built_once_when_it_is_asked_for() -> None:
    built: list[Any] = []
    val = slot({"max_epochs": 2}, built)
    assert val
    assert val.built is None
    assert val.setting("max_epochs") == 2
    assert not built
    assert val.get() is val.get() is val.built is val.require("to validate")
    assert built == [{"max_epochs": 2}]
    assert val.setting("max_epochs") == 3


def test_a_ready_loop_is_taken_as_it_is() -> None:
    loop = Loop()
    assert slot(loop).get() is loop is slot(loop).built


def test_an_empty_slot_names_what_to_give() -> None:
    val = slot(None)
    assert not val
    assert val.get() is val.setting("max_epochs") is None
    words = "to validate, give val_dataloader, val_cfg and val_evaluator"
    with pytest.raises(RunnerConfigError, match=words):
        val.require("to validate")
    with pytest.raises(AttributeError, match=words):
        val.check_given("to validate")


def test_schedulers_that_are_built_need_no_training_loop(job: dict[str, Any]) -> None:
    kept = ("work_dir", "model", "test_dataloader", "test_cfg", "test_evaluator")
    runner = Runner.from_cfg({name: job[name] for name in kept})
    optimizer = torch.optim.SGD(runner.model.parameters(), lr=0.1)
    runner.optim_wrapper = OptimWrapper(optimizer)
    scheduler = MultiStepLR(optimizer, milestones=[1])
    assert runner.build_param_scheduler(scheduler) == [scheduler]
    with pytest.raises(RunnerConfigError, match="needs a training loop"):
        runner.build_param_scheduler({"type": "MultiStepLR", "milestones": [1]})


def test_an_evaluation_that_fails_leaves_the_weights_and_no_results(job: dict[str, Any]) -> None:
    class FailsOnce(Hook):
        """Fails after all but the last batch, as a metric or a Ctrl-C may."""

        has_failed = False

        def after_test_iter(self, runner: Any, batch_idx: int, *args: Any, **kwargs: Any) -> None:
            if not self.has_failed:
                self.has_failed = True
                raise KeyboardInterrupt

    job["custom_hooks"] = [{"type": "EMAHook", "momentum": 0.5}]
    runner = Runner.from_cfg(job)
    runner.train()
    expected = runner.test()
    weights = {name: each.clone() for name, each in runner.model.state_dict().items()}
    runner.register_hook(FailsOnce())
    with pytest.raises(KeyboardInterrupt):
        runner.test()
    for name, each in runner.model.state_dict().items():
        assert torch.equal(each, weights[name]), name
    assert runner.test() == expected


def test_a_validation_that_failed_is_done_when_training_goes_on(job: dict[str, Any]) -> None:
    class Seen(Hook):
        """Fails in the second validation, once."""

        has_failed = False

        def __init__(self) -> None:
            self.done: list[int] = []

        def before_val_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            if runner.epoch == 2 and not self.has_failed:
                self.has_failed = True
                raise OSError("no such image")

        def after_val(self, runner: Any) -> None:
            self.done.append(runner.epoch)

    runner, seen = Runner.from_cfg(job), Seen()
    runner.register_hook(seen)
    with pytest.raises(OSError, match="no such image"):
        runner.train()
    runner.train()
    assert seen.done == [1, 2, 3]
