"""The search for the largest batch size that fits in memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from batch_find_cases import Broken, Counting, Killed, Ones, Wide

from eng.cli import main
from eng.runner import BatchTrial, batch_find, find_batch_size
from eng.runner.batch_search import SizeSearch
from eng.utils import UserError

SIZES = st.integers(1, 5000)


def job(kind: Any, batch_size: int = 4, length: int = 10_000, **changes: Any) -> dict[str, Any]:
    return {
        "model": {"type": kind},
        "train_dataloader": {
            "batch_size": batch_size,
            "num_workers": 2,
            "persistent_workers": True,
            "dataset": {"type": Ones, "length": length},
            "sampler": {"type": "DefaultSampler"},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 1},
        "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 0.1}},
        "work_dir": "work",
        **changes,
    }


@given(SIZES, st.integers(0, 5000), st.none() | SIZES)
def test_the_largest_size_is_found_in_few_trials(first: int, limit: int, most: int | None) -> None:
    search = SizeSearch(first, most)
    tried = []
    while (size := search.next()) is not None:
        tried.append(size)
        search.record(size, size <= limit)
        assert size >= 1
    assert search.found == (limit if most is None else min(limit, most))
    assert len(tried) == len(set(tried)) <= 28
    assert most is None or max(tried) <= most


@given(SIZES, SIZES, SIZES)
def test_a_bound_that_is_found_out_meanwhile_holds(first: int, limit: int, samples: int) -> None:
    search = SizeSearch(first)
    while (size := search.next()) is not None:
        search.most = samples
        if size <= samples:
            search.record(size, size <= limit)
    assert search.found == min(limit, samples)


def simulate(monkeypatch: pytest.MonkeyPatch, limit: int, samples: int | None = None) -> list[int]:
    tried: list[int] = []

    def run_trial(load: Any, size: int, memory_limit: int | None) -> BatchTrial:
        tried.append(size)
        return BatchTrial(size, size <= limit, samples=samples if size <= limit else None)

    monkeypatch.setattr(batch_find, "run_trial", run_trial)
    return tried


def test_multiples_and_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = simulate(monkeypatch, limit=100)
    found = find_batch_size(job(Wide, 20), multiple_of=8)
    assert (found.size, found.bound) == (96, "memory")
    assert tried == [16, 32, 64, 128, 96, 112, 104]
    assert [trial.size for trial in found.trials] == tried
    assert find_batch_size(job(Wide, 20), most=50).size == 50
    assert find_batch_size(job(Wide, 20), most=50).bound == "most"
    assert find_batch_size(job(Wide, 20), most=15).size == 15
    simulate(monkeypatch, limit=0)
    nothing = find_batch_size(job(Wide, 20))
    assert (nothing.size, nothing.bound) == (None, "memory")
    assert [trial.size for trial in nothing.trials] == [20, 10, 5, 2, 1]
    simulate(monkeypatch, limit=1000, samples=30)
    found = find_batch_size(job(Wide, 64))
    assert (found.size, found.bound, len(found.trials)) == (30, "samples", 1)
    simulate(monkeypatch, limit=10, samples=30)
    assert find_batch_size(job(Wide, 64)).size == 10


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({"launcher": "pytorch"}, {}, "single process"),
        ({"train_dataloader": None}, {}, "train_dataloader must be a dict"),
        ({"train_dataloader": {"batch_sampler": {"type": "Own"}}}, {}, "has no batch_size"),
        ({"train_dataloader": {"batch_size": 0}}, {}, "batch_size must be an integer"),
        ({}, {"most": 0}, "most must be an integer of at least 1"),
        ({}, {"most": 7, "multiple_of": 8}, "most must be an integer of at least 8"),
        ({}, {"multiple_of": 0}, "multiple_of must be an integer of at least 1"),
        ({}, {"memory_limit": -1}, "memory_limit must be an integer"),
        ({"model": lambda: None}, {}, "cannot be sent to a fresh process"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    changes: dict[str, Any], arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        find_batch_size(job(Wide, **changes), **arguments)


@pytest.mark.parametrize("memory", ["nan", "inf", "0", "-1"])
def test_memory_that_is_no_size_is_refused(capsys: pytest.CaptureFixture[str], memory: str) -> None:
    assert main(["batch-find", "job.py", f"--memory={memory}"]) == 2
    assert "--memory must be a number of GiB above 0, not " in capsys.readouterr().err


@pytest.mark.exhaustive
def test_the_largest_batch_within_a_memory_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    limit = 400 * 2**20
    reported: list[BatchTrial] = []
    found = find_batch_size(job(Wide, 20), memory_limit=limit, report=reported.append)
    assert found.bound == "memory"
    assert found.trials == tuple(reported)
    assert limit / (24 * 2**20) * 0.5 < found.size < limit / (8 * 2**20)
    outcomes = {trial.size: trial.fits for trial in found.trials}
    assert outcomes[found.size] is True
    assert outcomes[found.size + 1] is False
    assert all(fits == (size <= found.size) for size, fits in outcomes.items())
    assert "allocate memory" in next(trial.reason for trial in found.trials if not trial.fits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_a_killed_process_does_not_fit_and_other_errors_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = find_batch_size(job(Killed, 4), most=5)
    assert found.size == 4
    assert str(found.trials[1]) == ("batch size 5: does not fit (its process was ended by SIGKILL)")
    with pytest.raises(RuntimeError, match=r"batch size 4 failed: ValueError: shapes do not match"):
        find_batch_size(job(Broken))
    with pytest.raises(UserError, match=r"trial of batch size 4 failed: .*SDG"):
        find_batch_size(job(Wide, optim_wrapper={"optimizer": {"type": "SDG"}}))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("counts", "steps"),
    [
        (1, ["5 False False", "5 True False"]),
        (4, ["5 False False", "5 True False", "5 True True"]),
    ],
)
def test_a_trial_reaches_the_peak_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: int, steps: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCH_FIND_STEPS", str(tmp_path / "steps"))
    wrapper = {"optimizer": {"type": "Adam", "lr": 0.1}, "accumulative_counts": counts}
    found = find_batch_size(job(Counting, 8, length=5, optim_wrapper=wrapper))
    assert (found.size, found.bound, len(found.trials)) == (5, "samples", 1)
    assert (tmp_path / "steps").read_text().splitlines() == steps


@pytest.mark.exhaustive
def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main(["init", "project"]) == 0
    command = ["batch-find", "project/config.py", "--most", "64", "--memory"]
    assert main([*command, "1"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()[-3:]
    assert lines[0].startswith("batch size 32: fits, peak 0.")
    assert lines[2] == "largest batch size that fits: 64; larger ones were not tried"
    assert err == ""
    assert main([*command, "0.0001"]) in (1, 2)
    assert "no batch size fits" in capfd.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"project"}
