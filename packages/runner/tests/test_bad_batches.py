"""The batches whose losses are not finite, as they are written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import bad_batch_cases as cases

from eng.runner import Runner


def records(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in folder.glob("bad_batches/*.json")]
    return sorted(found, key=lambda record: record["iteration"])


def log_of(runner: Runner) -> str:
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()


def train(runner: Runner) -> dict[int, list[int]]:
    marks = cases.Marks()
    runner.register_hook(marks)
    runner.train()
    return marks.seen


@pytest.mark.parametrize(("by_epoch", "workers"), [(True, 0), (True, 2), (False, 0)])
def test_a_bad_sample_is_among_the_indices_of_each_record(
    tmp_path: Path, by_epoch: bool, workers: int
) -> None:
    train_cfg = {"by_epoch": True, "max_epochs": 2} if by_epoch else {"max_iters": 14}
    train_cfg.setdefault("by_epoch", by_epoch)
    job = cases.marked_job(tmp_path, 50, [37], nan_loss="skip", train_cfg=train_cfg)
    job["train_dataloader"]["num_workers"] = workers
    runner = Runner.from_cfg(job)
    seen = train(runner)
    bad = [iteration for iteration, indices in seen.items() if 37 in indices]
    assert len(bad) == 2
    for record, iteration in zip(records(tmp_path), bad, strict=True):
        assert record["iteration"] == iteration
        assert record["indices"] == {"0": seen[iteration]}
        assert record["losses"] == {"0": "nan"}
        assert record["problem"] == f"the loss is nan on rank 0 at iteration {iteration}"
        epoch, before = divmod(iteration - 1, 7)
        assert (record["epoch"], record["position"]) == (epoch + 1, before * 8)
        assert (record["seed"], record["sampler_seed"], record["world_size"]) == (1, 1, 1)
        told = (
            f"The batch of iteration {iteration} is samples {', '.join(map(str, seen[iteration]))}"
        )
        assert told in log_of(runner)


@pytest.mark.parametrize("kind", ["random", "generator", "weighted", "pairs"])
def test_the_order_of_any_sampler_is_drawn_again(tmp_path: Path, kind: str) -> None:
    runs = []
    for name, bad in (("whole", []), ("bad", [11])):
        job = cases.marked_job(tmp_path / name, nan_loss="skip")
        data = cases.MarkedData(24, bad)
        job["train_dataloader"] = cases.loader_of(kind, data)
        runs.append(_run(job))
    whole, seen = runs
    assert seen == whole  # writing it down has drawn nothing from the run's random numbers
    bad_ones = [iteration for iteration, indices in seen.items() if 11 in indices]
    found = records(tmp_path / "bad")
    assert [record["iteration"] for record in found] == bad_ones
    assert [record["indices"]["0"] for record in found] == [seen[i] for i in bad_ones]


def _run(job: dict[str, Any]) -> dict[int, list[int]]:
    nan_loss = job.pop("nan_loss")
    return train(Runner(**job, cfg={"nan_loss": nan_loss}))


def test_data_without_indices_has_its_position(tmp_path: Path) -> None:
    samples = [cases.MarkedData(24, [11])[i] for i in range(24)]
    job = cases.marked_job(tmp_path, nan_loss="skip")
    job["train_dataloader"] = cases.streamed(samples)
    _run(job)
    assert [(r["position"], r["indices"]) for r in records(tmp_path)][:1] == [(8, {"0": None})]


def test_going_back_writes_it_once(tmp_path: Path) -> None:
    nan_loss = {"action": "rollback", "max_times": 2}
    runner = Runner.from_cfg(cases.marked_job(tmp_path, 80, [37], nan_loss=nan_loss))
    with pytest.raises(FloatingPointError):
        train(runner)
    assert len(records(tmp_path)) == 1
    assert log_of(runner).count("The batch of iteration") == 1


def test_the_short_form_writes_it_as_well(tmp_path: Path) -> None:
    job = cases.marked_job(tmp_path, 50, [37])
    job["optim_wrapper"]["stop_on_nan_loss"] = True
    runner = Runner.from_cfg(job)
    marks = cases.Marks()
    runner.register_hook(marks)
    with pytest.raises(FloatingPointError, match="nan"):
        runner.train()
    (record,) = records(tmp_path)
    last = max(marks.seen)
    assert (record["iteration"], record["indices"]["0"]) == (last, marks.seen[last])


def test_a_record_that_cannot_be_written_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "bad_batches").write_text("in the way")
    runner = Runner.from_cfg(cases.marked_job(tmp_path, 50, [37], nan_loss="skip"))
    train(runner)
    assert "cannot be written to" in log_of(runner)
