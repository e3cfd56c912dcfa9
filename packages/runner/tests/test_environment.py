"""Processes and seeds."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.dist.testing import run_in_processes
from eng.hooks import Hook
from eng.runner import FlexibleRunner, Runner, set_random_seed
from eng.runner.environment import Environment


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(1).item()


def test_a_seed_fixes_all_generators() -> None:
    assert set_random_seed(7) == 7
    first = draw()
    set_random_seed(7)
    assert draw() == first
    set_random_seed(8)
    assert draw() != first


def test_large_seeds_and_drawn_ones() -> None:
    assert set_random_seed(2**40 + 3) == 2**40 + 3
    assert set_random_seed() != set_random_seed()


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> Any:
    # Set and removed again, so that what the function sets is removed in the end.
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = torch.backends.cudnn.benchmark = False


@pytest.mark.usefixtures("restored")
def test_deterministic_algorithms_have_what_they_need() -> None:
    import os

    set_random_seed(1, deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def read_flags() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic


class SeenFlags(Hook):
    def before_train(self, runner: Any) -> None:
        self.train = read_flags()

    def before_val(self, runner: Any) -> None:
        self.val = read_flags()


def build(job: dict[str, Any], name: str, deterministic: bool, **more: Any) -> Runner:
    work_dir = str(Path(job["work_dir"]) / name)
    randomness = {"seed": 1, "deterministic": deterministic}
    return Runner.from_cfg({**job, "work_dir": work_dir, "randomness": randomness, **more})


@pytest.mark.parametrize("kind", [Runner, FlexibleRunner])
def test_a_seed_is_an_integer_of_any_kind(job: dict[str, Any], kind: Any) -> None:
    runner = kind.from_cfg({**job, "randomness": {"seed": np.int64(3)}})
    assert type(runner.seed) is int
    for seed in ("3", 3.0):
        with pytest.raises(TypeError, match=f"the seed must be an int or None, not {seed!r}"):
            kind.from_cfg({**job, "randomness": {"seed": seed}})
    kind.from_cfg({**job, "env_cfg": {"mp_cfg": None, "dist_cfg": None}})


@pytest.mark.parametrize("kind", [Runner, FlexibleRunner])
def test_a_seed_is_drawn_where_randomness_names_none(job: dict[str, Any], kind: Any) -> None:
    for randomness in (None, {}, {"diff_rank_seed": True}):
        runner = kind.from_cfg({**job, "randomness": randomness})
        assert isinstance(runner.seed, int)
        assert runner.environment.diff_rank_seed is bool(randomness)


@pytest.mark.usefixtures("restored")
def test_only_runs_that_ask_for_it_are_deterministic(job: dict[str, Any]) -> None:
    first, second = build(job, "first", True), build(job, "second", False)
    assert read_flags() == (False, False)
    hooks = SeenFlags(), SeenFlags()
    for runner, hook in zip((first, second), hooks, strict=True):
        runner.register_hook(hook)
        runner.train()
        runner.val()
    assert (hooks[0].train, hooks[0].val) == ((True, True), (True, True))
    assert (hooks[1].train, hooks[1].val) == ((False, False), (False, False))
    first.val()  # after the other one
    assert hooks[0].val == (True, True)
    build(job, "third", False, env_cfg={"cudnn_benchmark": True})
    assert torch.backends.cudnn.benchmark
    build(job, "fourth", True, env_cfg={"cudnn_benchmark": True})
    assert not torch.backends.cudnn.benchmark
    build(job, "fifth", False)
    assert not torch.backends.cudnn.benchmark


@pytest.mark.usefixtures("restored")
def test_a_run_leaves_what_the_program_has_set(job: dict[str, Any]) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    build(job, "first", False)
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    build(job, "second", True)
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    build(job, "third", False)
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    build(job, "fourth", True)
    torch.use_deterministic_algorithms(False)
    build(job, "fifth", False)
    assert read_flags() == (False, False)
    set_random_seed(1, deterministic=True)
    build(job, "sixth", False)
    assert read_flags() == (True, True)


def test_the_environment_of_a_single_process() -> None:
    environment = Environment(randomness={"seed": 3, "diff_rank_seed": True}).present()
    assert (environment.rank, environment.world_size, environment.distributed) == (0, 1, False)
    assert environment.diff_rank_seed
    seeded = environment.with_seed(5, True, True)
    assert (seeded.seed, seeded.deterministic, environment.seed) == (5, True, 0)


def test_an_overridden_setup_env_is_called_before_anything_is_built(job: dict[str, Any]) -> None:
    called: list[Any] = []

    class OwnRunner(Runner):
        def setup_env(self, env_cfg: dict[str, Any]) -> None:
            called.append((env_cfg, self.launcher, hasattr(self, "model")))
            super().setup_env(env_cfg)

    OwnRunner.from_cfg({**job, "env_cfg": {"cudnn_benchmark": False}})
    assert called == [({"cudnn_benchmark": False}, "none", False)]


def test_an_overridden_set_randomness_is_called(job: dict[str, Any]) -> None:
    class OwnRunner(Runner):
        def set_randomness(self, seed: int | None, *args: Any, **kwargs: Any) -> None:
            super().set_randomness(42, *args, **kwargs)

    assert OwnRunner.from_cfg(job).seed == 42


def test_an_overridden_setup_env_sees_the_other_processes(tmp_path: Path) -> None:
    found = run_in_processes(workers.places_in_setup_env, 2, str(tmp_path))
    for rank, (seen, later) in enumerate(found):
        assert seen == later
        assert seen[:3] == (rank, 2, str(tmp_path))
    assert found[0][0][3] == found[1][0][3]


def test_randomness_that_is_set_later_is_known(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.set_randomness(7, diff_rank_seed=True)
    assert runner.seed == 7
    assert runner.environment.diff_rank_seed
