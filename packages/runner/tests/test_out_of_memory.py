"""Training that goes on with micro-batches when memory runs out."""

from __future__ import annotations

import math
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import oom_cases as cases

from eng.dist.testing import run_in_processes
from eng.model.base_model.micro_batches import split_batch
from eng.optim import count_samples
from eng.registry import MODELS
from eng.runner import Runner, RunnerConfigError

SGD = {"optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9}, "clip_grad": {"max_norm": 1.0}}


@pytest.mark.parametrize("within", ["forward", "backward"])
@pytest.mark.parametrize(
    "optim_wrapper",
    [
        SGD,
        {**SGD, "accumulative_counts": 3},
        {"type": "AmpOptimWrapper", "dtype": "float32", "loss_scale": 8.0, **SGD},
    ],
    ids=["plain", "accumulated", "amp"],
)
def test_losses_and_updates_are_those_of_the_whole_batch(
    tmp_path: Path, within: str, optim_wrapper: dict[str, Any]
) -> None:
    # The memory runs out in the second iteration, within a cycle of accumulation.
    model = {"capacity": 1, "within": within, "begin": 1}
    whole = cases.train(tmp_path / "whole", {"within": within}, optim_wrapper=optim_wrapper)
    parts = cases.train(tmp_path / "parts", model, optim_wrapper=optim_wrapper, on_oom="shrink")
    assert parts[0] == pytest.approx(whole[0], rel=1e-4, abs=1e-6)
    assert torch.allclose(parts[1], whole[1], rtol=1e-4, atol=1e-6)
    assert len(parts[0]) == len(whole[0])
    assert (whole[3], parts[3]) == (None, 1)
    lines = [line for line in parts[2].splitlines() if "Out of memory with" in line]
    samples = cases.plane_job(tmp_path)["train_dataloader"]["batch_size"]
    assert len(lines) == math.ceil(math.log2(samples))
    assert f"Out of memory with {samples} samples at a time ({cases.MESSAGE})" in lines[0]
    assert f"micro-batches of at most {-(-samples // 2)} samples" in lines[0]


def test_without_an_error_it_changes_no_bit(tmp_path: Path) -> None:
    whole = cases.train(tmp_path / "whole", {"dropout": 0.5})
    on = cases.train(tmp_path / "on", {"dropout": 0.5}, on_oom="shrink")
    assert on[0] == whole[0]
    assert torch.equal(on[1], whole[1])


@pytest.mark.parametrize("within", ["forward", "backward"])
def test_a_failed_attempt_leaves_nothing_behind(tmp_path: Path, within: str) -> None:
    model = {"dropout": 0.5, "within": within}
    known = cases.train(tmp_path / "known", model, size=2, on_oom="shrink")
    found = cases.train(tmp_path / "found", {**model, "capacity": 2}, on_oom="shrink")
    assert found[3] == 2
    assert found[0] == known[0]
    assert torch.equal(found[1], known[1])


def test_a_single_sample_too_much_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="micro-batches of one sample"):
        cases.train(tmp_path, {"capacity": 0}, on_oom="shrink")


def test_by_default_the_error_is_raised(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        cases.train(tmp_path, {"capacity": 2})


@pytest.mark.parametrize("counts", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_all_processes_agree(tmp_path: Path, counts: int) -> None:
    def run(name: str, on_oom: str, capacities: list[int]) -> Any:
        folder = str(tmp_path / name)
        return run_in_processes(cases.train_in_group, 2, folder, on_oom, capacities, counts)

    whole, _ = run("whole", "raise", [100, 100])
    first, second = run("parts", "shrink", [100, 2])
    assert first[1] == second[1]
    assert (first[2], second[2]) == (2, 2)
    assert first[0] == pytest.approx(whole[0], rel=1e-4, abs=1e-6)
    assert first[1] == pytest.approx(whole[1], rel=1e-4, abs=1e-6)


@pytest.mark.exhaustive
def test_under_a_limit_of_memory_the_losses_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    (whole,) = run_in_processes(cases.train_within, 1, str(tmp_path / "whole"), None)
    (parts,) = run_in_processes(cases.train_within, 1, str(tmp_path / "parts"), 300 * 2**20)
    assert whole[1] is None
    assert parts[1] in (1, 2, 4, 8, 16)
    assert parts[0] == pytest.approx(whole[0], rel=1e-4, abs=1e-6)


@MODELS.register_module(force=True)
class OwnStep(cases.TightModel):
    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        return super().train_step(data, optim_wrapper)


def test_a_train_step_of_its_own_is_mentioned(tmp_path: Path) -> None:
    runner = Runner.from_cfg(
        {**cases.plane_job(tmp_path, on_oom="shrink"), "model": {"type": "OwnStep"}}
    )
    runner.model.capacity = 2
    runner.train()
    log = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    assert "OwnStep has a train_step of its own" in log
    assert runner.optim_wrapper.micro_batches.size == 2


class Foreign(nn.Module):
    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        raise AssertionError("not reached")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"on_oom": "half"}, "on_oom must be 'raise' or 'shrink', not 'half'"),
        ({"on_oom": True}, "on_oom must be 'raise' or 'shrink', not True"),
        ({"nan_loss": "skip"}, "does not go with nan_loss='skip'"),
        ({"model": {"type": Foreign}, "optim_wrapper": None}, "Foreign does not derive"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    job = {**cases.plane_job(tmp_path, on_oom="shrink"), **changes}
    if job["optim_wrapper"] is None:
        job["optim_wrapper"] = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
    with pytest.raises(RunnerConfigError, match=said):
        Runner.from_cfg(job).train()


Pair = namedtuple("Pair", "x y")
FIVE = torch.arange(5)


@pytest.mark.parametrize(
    ("batch", "last"),
    [
        ({"inputs": FIVE, "data_samples": list("abcde")}, {"inputs": [4], "data_samples": ["e"]}),
        ({"inputs": {"img": list("abcde")}, "k": 3}, {"inputs": {"img": ["e"]}, "k": 3}),
        ([FIVE, FIVE[:, None]], [[4], [[4]]]),
        ((FIVE, torch.tensor(7), None), ([4], 7, None)),
        ({"a": Pair(FIVE, FIVE), "w": torch.ones(2)}, {"a": ([4], [4]), "w": [1.0, 1.0]}),
        ({"views": (list("abcde"), list("vwxyz"))}, {"views": (["e"], ["z"])}),
        (FIVE, [4]),
    ],
)
def test_batches_are_split_along_their_samples(batch: Any, last: Any) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.tolist()
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else value

    assert count_samples(batch) == 5
    parts = list(split_batch(batch, 5, 2))
    assert [count for _, count in parts] == [2, 2, 1]
    got = parts[-1][0]
    if isinstance(got, dict) and isinstance(got.get("a"), Pair):
        got = {**got, "a": tuple(got["a"])}
    assert plain(got) == last
    assert list(split_batch(batch, 5, 5)) == [(batch, 5)]


def test_a_batch_without_samples_is_one_part() -> None:
    assert count_samples({"a": None, "b": 3}) == 0
    assert list(split_batch({"a": None}, 0, 1)) == [({"a": None}, 0)]
