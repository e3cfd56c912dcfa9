"""Runs with samplers by length, resumed inside an epoch."""

import json
from pathlib import Path

import pytest

from eng.runner import Runner

LENGTHS = [3, 9, 5, 12, 1, 7, 7, 2, 11, 8, 4, 6, 10, 3, 5, 9, 2, 8, 6, 1]

SAMPLERS = {
    "grouped": {
        "batch_size": 4,
        "sampler": {"type": "LengthGroupedSampler", "lengths": LENGTHS, "group_size": 8},
    },
    "bucket": {
        "batch_sampler": {
            "type": "BucketBatchSampler",
            "batch_size": 3,
            "lengths": LENGTHS,
            "boundaries": [6],
        }
    },
    "budget": {
        "batch_sampler": {
            "type": "TokenBudgetBatchSampler",
            "max_tokens": 24,
            "lengths": LENGTHS,
        }
    },
}


def train(job, name, **settings):
    runner = Runner.from_cfg({**job, "work_dir": str(Path(job["work_dir"]) / name), **settings})
    runner.train()
    (file,) = Path(runner.work_dir).glob("*/batches.jsonl")
    records = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    return runner, {each["iter"]: each for each in records}


@pytest.mark.parametrize("kind", list(SAMPLERS))
def test_a_resumed_run_has_the_batches_of_a_whole_one(job, kind):
    for key in ("val_cfg", "val_dataloader", "val_evaluator"):
        job.pop(key)
    loader = {key: job["train_dataloader"][key] for key in ("dataset", "collate_fn")}
    default = {"sampler": {"type": "DefaultSampler", "shuffle": True}}
    job["train_dataloader"] = {**loader, **default, **SAMPLERS[kind]}
    job["train_cfg"] = {"by_epoch": True, "max_epochs": 2}
    job["custom_hooks"] = [{"type": "BatchRecordHook"}]
    job["default_hooks"] = {
        "checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 1}
    }
    whole, batches = train(job, "a")
    per_epoch = len(whole.train_dataloader)
    assert sorted(batches) == list(range(1, 2 * per_epoch + 1))
    middle = per_epoch + 2  # inside the second epoch
    file = f"{whole.work_dir}/iter_{middle}.pth"
    _, rest = train(job, "b", resume=True, load_from=file)
    assert rest == {step: batches[step] for step in range(middle + 1, 2 * per_epoch + 1)}
