"""Batches of runs, rebuilt afterwards."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import bad_batch_cases as cases

from eng.cli import main
from eng.dist.testing import run_in_processes
from eng.runner import Runner, rebuild_batch
from eng.runner.value_report import describe_values, find_non_finite
from eng.structures import BaseDataElement
from eng.utils import UserError


def train(job: dict[str, Any], **cfg: Any) -> dict[int, list[int]]:
    runner = Runner.from_cfg({**job, **cfg}) if "cfg" not in job else Runner(**job)
    marks = cases.Marks()
    runner.register_hook(marks)
    runner.train()
    return marks.seen


def check_all(folder: Path, seen: dict[int, list[int]], *loader: Any) -> None:
    numbers = sorted(seen)
    for iteration in {*numbers[:2], *numbers[2::7], numbers[-1]}:
        indices = seen[iteration]
        (part,) = rebuild_batch(folder, iteration, *loader).ranks
        assert (iteration, part.indices) == (iteration, indices)
        assert part.data["mark"].tolist() == indices


def test_a_planted_sample_is_named_after_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nan_loss = {"action": "rollback", "then": "skip"}
    job = cases.marked_job(tmp_path, 1000, [421], nan_loss=nan_loss)
    job["train_cfg"] = {"by_epoch": True, "max_epochs": 1}
    job["default_hooks"]["checkpoint"]["interval"] = 20
    seen = train(job)
    assert max(seen) == 125  # it ended
    (bad,) = (iteration for iteration, indices in seen.items() if 421 in indices)
    out = tmp_path / "batch.pt"
    capsys.readouterr()
    assert main(["batch", str(tmp_path), str(bad), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"batch of iteration {bad}: epoch 1, position {8 * (bad - 1)}, seed 1"
    assert lines[1] == f"written down since the loss is nan on rank 0 at iteration {bad}"
    assert lines[2] == f"rank 0: samples {', '.join(map(str, seen[bad]))}"
    assert "  inputs: float32 [8, 4]" in lines
    number = seen[bad].index(421)
    assert f"  sample 421, number {number} of the batch: inputs: 1 NaN of 4 values" in lines
    assert lines[-2:] == ["not finite: 1 of 8 samples, 421", f"saved: {out}"]
    saved = torch.load(out, weights_only=True)
    assert saved["indices"] == {0: seen[bad]}
    assert saved["batches"][0]["inputs"].isnan().sum() == 1
    assert main(["batch", str(tmp_path), str(bad), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"eng: {tmp_path}: Is a directory\n"


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("kept", ["all", "none", "last"])
def test_every_batch_is_rebuilt_from_seed_and_position(
    tmp_path: Path, by_epoch: bool, kept: str
) -> None:
    job = cases.marked_job(tmp_path, 50)
    job["train_cfg"] = {"by_epoch": True, "max_epochs": 3} if by_epoch else {"max_iters": 20}
    job["train_cfg"]["by_epoch"] = by_epoch
    job["default_hooks"]["checkpoint"]["interval"] = 5
    seen = train(job)
    for path in tmp_path.glob("*.pth"):
        if kept == "none" or (kept == "last" and path.name != "iter_20.pth"):
            path.unlink()
    check_all(tmp_path, seen)
    with pytest.raises(UserError, match=rf"the run has {len(seen)} iterations, got 30"):
        rebuild_batch(tmp_path, 30)


@pytest.mark.parametrize("sampler", ["InfiniteSampler", "LengthGroupedSampler"])
def test_other_samplers_of_the_engine(tmp_path: Path, sampler: str) -> None:
    job = cases.marked_job(tmp_path, 20)
    job["train_dataloader"]["sampler"] = {"type": sampler}
    if sampler == "LengthGroupedSampler":
        job["train_dataloader"]["sampler"].update(lengths=list(range(20)), group_size=10)
    job["train_cfg"] = {"by_epoch": False, "max_iters": 11}
    check_all(tmp_path, train(job))


def test_a_run_resumed_with_another_batch_size(tmp_path: Path) -> None:
    job = cases.marked_job(tmp_path, 50)
    job["default_hooks"]["checkpoint"]["interval"] = 3
    job["train_cfg"] = {"by_epoch": False, "max_iters": 6}
    train(job)
    job["train_dataloader"]["batch_size"] = 3
    job["train_cfg"]["max_iters"] = 12
    seen = train({**job, "resume": True})
    assert min(seen) == 7
    check_all(tmp_path, seen)


def test_a_seed_that_was_drawn_is_known_from_a_checkpoint(tmp_path: Path) -> None:
    job = cases.marked_job(tmp_path, 50, randomness={"seed": None})
    seen = train(job)
    check_all(tmp_path, seen)
    for path in tmp_path.glob("*.pth"):
        path.unlink()
    with pytest.raises(UserError, match=r"the seed of the run is not known: .* has no checkpoint"):
        rebuild_batch(tmp_path, 1)


@pytest.mark.parametrize("kind", ["random", "generator", "weighted", "pairs"])
def test_an_order_drawn_by_the_run_is_known_from_a_checkpoint_of_the_epoch(
    tmp_path: Path, kind: str
) -> None:
    job = cases.marked_job(tmp_path)
    data = cases.MarkedData(24)
    job["train_dataloader"] = cases.loader_of(kind, data)
    job["cfg"] = {}
    job["default_hooks"]["checkpoint"]["interval"] = len(job["train_dataloader"])
    seen = train(job)
    length = len(seen) // 3
    before = torch.get_rng_state()
    check_all(tmp_path, seen, cases.loader_of(kind, data))
    assert torch.equal(torch.get_rng_state(), before)
    (tmp_path / f"iter_{length}.pth").unlink()
    with pytest.raises(
        UserError, match=r"random numbers of the run, which no checkpoint of epoch 1"
    ):
        rebuild_batch(tmp_path, 1, cases.loader_of(kind, data))


def test_an_order_that_is_lost_is_known_where_it_was_written_down(tmp_path: Path) -> None:
    job = cases.marked_job(tmp_path)
    data = cases.MarkedData(24, [11])
    job["train_dataloader"] = cases.loader_of("random", data)
    job["cfg"] = {"nan_loss": "skip"}
    job["default_hooks"]["checkpoint"]["interval"] = 100
    seen = train(job)
    bad = next(iteration for iteration, indices in seen.items() if 11 in indices)
    (part,) = rebuild_batch(tmp_path, bad, cases.loader_of("random", data)).ranks
    assert part.indices == seen[bad]
    (values,) = part.find_non_finite().values()
    assert str(values[0]) == "inputs: 1 NaN of 4 values"


@pytest.mark.parametrize("workers", [0, 2])
def test_random_augmentation_is_repeated(tmp_path: Path, workers: int) -> None:
    job = cases.marked_job(tmp_path)
    job["train_dataloader"]["dataset"] = {"type": "AugmentedData" if workers else "SeededData"}
    job["train_dataloader"]["num_workers"] = workers
    runner = Runner.from_cfg(job)
    batches = cases.Batches()
    runner.register_hook(batches)
    runner.train()
    for iteration, batch in list(batches.seen.items())[::5]:
        (part,) = rebuild_batch(tmp_path, iteration).ranks
        assert torch.equal(part.data["inputs"], batch["inputs"])


def test_data_that_has_changed_is_told(tmp_path: Path) -> None:
    seen = train(cases.marked_job(tmp_path, 50, [37]), nan_loss="skip")
    bad = next(iteration for iteration, indices in seen.items() if 37 in indices)
    other = cases.marked_job(tmp_path, 60, [37])
    batch = rebuild_batch(tmp_path, bad, cfg=other)
    assert batch.ranks[0].indices == seen[bad]
    assert "Has the data or the config changed since?" in list(batch.describe())[-1]


def test_a_live_data_loader_stays_as_it_is(tmp_path: Path) -> None:
    runner = Runner.from_cfg(cases.marked_job(tmp_path, 50))
    runner.train()
    loader = runner.train_dataloader
    loader.sampler.set_epoch(7)
    expected = list(loader.sampler)
    rebuild_batch(tmp_path, 9, loader)
    assert list(loader.sampler) == expected


def test_a_corrupt_record_and_checkpoint_are_left_out(tmp_path: Path) -> None:
    seen = train(cases.marked_job(tmp_path, 50, [37]), nan_loss="skip")
    for path in tmp_path.glob("bad_batches/*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "indices": {"0": "abc"}}))
    for path in tmp_path.glob("iter_1*.pth"):
        path.write_bytes(path.read_bytes()[:-300])
    check_all(tmp_path, seen)


@pytest.mark.slow
def test_the_parts_of_all_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (_, seen), _ = run_in_processes(cases.train_on_a_bad_rank, 2, str(tmp_path))
    found = [json.loads(path.read_text()) for path in tmp_path.glob("bad_batches/*.json")]
    assert len(found) == 3
    for record in found:
        expected = {str(rank): seen[rank][record["iteration"]] for rank in (0, 1)}
        assert (record["indices"], record["world_size"]) == (expected, 2)
        assert any(37 in indices for indices in expected.values())
    for with_record in (True, False):
        if not with_record:
            shutil.rmtree(tmp_path / "bad_batches")
        for iteration in {1, 4, max(seen[0]), *(record["iteration"] for record in found)}:
            batch = rebuild_batch(tmp_path, iteration)
            assert [part.indices for part in batch.ranks] == [each[iteration] for each in seen]
            assert batch.notes == []
    assert main(["batch", str(tmp_path), "1", "--rank", "1"]) == 0
    assert f"rank 1: samples {', '.join(map(str, seen[1][1]))}" in capsys.readouterr().out
    job = cases.marked_job(tmp_path, 50, train_cfg={"by_epoch": True, "max_epochs": 4})
    with pytest.raises(UserError, match="rank 2 is not one of the run, which had 2 processes"):
        rebuild_batch(tmp_path, 1, rank=2)
    with pytest.raises(UserError, match="had 2 processes, and which samples its RandomSampler"):
        rebuild_batch(tmp_path, 1, cases.loader_of("random", cases.MarkedData(50)))
    check_all(tmp_path, train(job, resume=True))  # by one process


def test_user_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> str:
        assert main(["batch", *arguments]) != 0
        return capsys.readouterr().err

    assert "is not a directory: name the work_dir of a run" in told(str(tmp_path / "no"), "1")
    assert "no config was written" in told(str(tmp_path), "1")
    assert "iterations are counted from 1 as in the log, got 0" in told(str(tmp_path), "0")
    out = str(tmp_path / "no" / "batch.pt")
    assert "its directory does not exist" in told(str(tmp_path), "1", "--out", out)
    assert "are for the config given by --config" in told(str(tmp_path), "1", "--no-code")
    job = cases.marked_job(tmp_path)
    job["train_dataloader"] = cases.streamed([cases.MarkedData()[i] for i in range(8)])
    train({**job, "cfg": {}})
    with pytest.raises(UserError, match="the training data has no indices"):
        rebuild_batch(tmp_path, 1, job["train_dataloader"])
    with pytest.raises(UserError, match=r"no config to build the data of .* from Python"):
        rebuild_batch(tmp_path, 1)


@dataclass
class Pair:
    one: Any
    other: Any


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ({"a": torch.tensor([1.0, float("inf")])}, ["a: 1 infinite of 2 values"]),
        (
            {"a": {"b": [torch.ones(2), np.array([np.nan, np.inf, 1])]}},
            ["a.b[1]: 1 NaN and 1 infinite of 3 values"],
        ),
        ((torch.ones(2, dtype=torch.int64), float("nan")), ["[1]: 1 NaN of 1 values"]),
        (torch.tensor([complex(1, float("nan"))]), ["the sample: 1 NaN of 1 values"]),
        (torch.tensor([[0.0, float("nan")]]).to_sparse(), ["the sample: 1 NaN of 2 values"]),
        (torch.tensor([float("nan")]).to(torch.float8_e4m3fn), ["the sample: 1 NaN of 1 values"]),
        (np.float32("nan"), ["the sample: 1 NaN of 1 values"]),
        (Pair(1.0, np.array(np.inf)), ["other: 1 infinite of 1 values"]),
        (BaseDataElement(boxes=torch.tensor([float("nan")])), ["boxes: 1 NaN of 1 values"]),
        ({"a": "nan", "b": None, "c": np.array(["x"]), "d": True}, []),
    ],
)
def test_values_that_are_not_finite_are_found(sample: Any, told: list[str]) -> None:
    assert [str(each) for each in find_non_finite(sample)] == told


def test_batches_are_described() -> None:
    batch = {"inputs": [torch.ones(3, 2), torch.ones(3, 2)], "names": ["a"], "x": {"y": np.ones(2)}}
    assert describe_values(batch) == [
        "inputs: list of 2 float32 [3, 2]",
        "names: list of 1 str",
        "x: {y: float64 [2]}",
    ]
    assert describe_values((torch.ones(1), 3)) == ["[0]: float32 [1]", "[1]: int"]
    assert describe_values(torch.ones(2)) == ["float32 [2]"]
