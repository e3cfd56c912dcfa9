"""Runs of DeepSpeedStrategy in two processes, by tests/test_deepspeed.py.

python deepspeed_cases.py FOLDER STAGE     prints what it found as JSON
"""

import contextlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "packages" / "runner" / "tests"))

import strategy_cases
import torch
from strategy_cases import Losses, job

from eng.checkpoint import CheckpointError
from eng.dist.testing import run_in_processes
from eng.evaluator import BaseMetric
from eng.registry import DATASETS, METRICS
from eng.runner import DeepSpeedStrategy, FlexibleRunner, Runner

WRAPPER = {"type": "DeepSpeedOptimWrapper", "optimizer": {"type": "Adam", "lr": 0.05}}
FILES = {"checkpoint": {"type": "CheckpointHook", "interval": 1, "format": "file"}}
NEWEST = {"checkpoint": {"type": "CheckpointHook", "interval": 1, "max_keep_ckpts": 1}}


@METRICS.register_module(force=True)
class MeanOutput(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.extend(float(each) for each in data_samples)

    def compute_metrics(self, results):
        return {"mean": sum(results) / len(results)}


@DATASETS.register_module(force=True)
class FixedData:
    """Draws nothing, so that training is as without it."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {"inputs": torch.full((3,), index / 8), "data_samples": torch.tensor(0.0)}


class Stopper(Losses):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if runner.iter + 1 == 6:
            raise KeyboardInterrupt


def make(work_dir, stage, **changes):
    strategy = {
        "type": "DeepSpeedStrategy",
        "zero_optimization": {"stage": stage},
        "gradient_clipping": 1.0,
        "gradient_accumulation_steps": 2,
    }
    evaluation = {
        "val_dataloader": {**job("")["train_dataloader"], "dataset": {"type": "FixedData"}},
        "val_cfg": {},
        "val_evaluator": {"type": "MeanOutput"},
    }
    given = {"strategy": strategy, "optim_wrapper": WRAPPER, **evaluation, **changes}
    return FlexibleRunner.from_cfg(job(work_dir, **given))


def run(work_dir, stage, hook=None, **changes):
    runner, hook = make(work_dir, stage, **changes), hook or Losses()
    runner.register_hook(hook)
    with contextlib.suppress(KeyboardInterrupt):
        runner.train()
    return hook.losses, runner


def losses(folder, stage):
    found = {"runner": strategy_cases.run(Runner, f"{folder}/runner")}
    found["whole"], runner = run(f"{folder}/whole", stage, default_hooks=NEWEST)
    found["kept"] = sorted(each.name for each in Path(f"{folder}/whole").glob("epoch_*"))
    found["value"] = runner.val()["mean"]
    found["value of another"] = make(
        f"{folder}/val", stage, load_from=f"{folder}/whole/epoch_2"
    ).val()["mean"]
    before, _ = run(f"{folder}/stopped", stage, Stopper())
    after, _ = run(f"{folder}/stopped", stage, resume=True)
    found["resumed"] = before[:4] + after
    file = f"{folder}/runner/epoch_1.pth"
    found["from runner"], _ = run(f"{folder}/a", stage, resume=file, default_hooks=FILES)
    run(f"{folder}/files", stage, default_hooks=FILES)
    start = {"load_from": f"{folder}/files/epoch_1.pth", "resume": True}
    found["by runner"] = strategy_cases.run(Runner, f"{folder}/b", **start)
    try:
        strategy_cases.run(Runner, f"{folder}/c", load_from=f"{folder}/whole/epoch_2")
    except CheckpointError as error:
        found["refused"] = str(error)
    found["errors"] = [*errors(folder, stage)]
    return found


def errors(folder, stage):
    """Messages of what is refused before training."""
    plain = {"optimizer": {"type": "SGD", "lr": 0.1}}
    for name, changes in [
        ("average", {"custom_hooks": [{"type": "EMAHook"}]}),
        ("wrapper", {"optim_wrapper": plain}),
        ("clipping", {"optim_wrapper": {**WRAPPER, "clip_grad": {"max_norm": 1.0}}}),
    ]:
        try:
            run(f"{folder}/{name}", stage, **changes)
        except ValueError as error:
            yield str(error)
    runner = make(f"{folder}/late", stage)
    runner.val()
    try:
        runner.train()
    except ValueError as error:
        yield str(error)


def by_hand(folder, stage):
    """A loop of one's own."""
    strategy = DeepSpeedStrategy(
        work_dir=folder,
        env_kwargs={"launcher": "pytorch"},
        config={"zero_optimization": {"stage": 0}},
        zero_optimization={"stage": stage},
    )
    sizes = {"train_micro_batch_size_per_gpu": 2}
    given = {"optim_wrapper": WRAPPER, "dispatch_kwargs": sizes}
    model, wrapper = strategy.prepare({"type": "TwoLayers"}, **given)
    data = [{"inputs": [1.0, 2.0, 3.0], "data_samples": 6.0}] * 2
    batch = {key: [each[key] for each in data] for key in data[0]}
    tensors = {key: torch.tensor(each) for key, each in batch.items()}
    model.train_step(tensors, wrapper)
    strategy.save_checkpoint(f"{folder}/own.pth", extra_ckpt={"note": 1})
    before = strategy.model_state_dict()
    model.train_step(tensors, wrapper)
    changed = strategy.model_state_dict()
    rest = strategy.resume(f"{folder}/own.pth")
    again = strategy.model_state_dict()
    return {
        "changed": any(not torch.equal(changed[name], each) for name, each in before.items()),
        "restored": all(torch.equal(again[name], each) for name, each in before.items()),
        "rest": rest["note"],
        "stage": strategy.config["zero_optimization"]["stage"],
    }


if __name__ == "__main__":
    folder, stage = sys.argv[1], int(sys.argv[2])
    found = run_in_processes(losses, 2, folder, stage, timeout=120)[0]
    found["by hand"] = run_in_processes(by_hand, 2, f"{folder}/by_hand", stage, timeout=120)[0]
    Path(folder, "found.json").write_text(json.dumps(found), encoding="utf-8")
