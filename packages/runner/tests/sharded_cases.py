"""What each process of tests/test_sharded_runs.py does."""

import contextlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import DATASETS, MODELS
from eng.runner import Runner


@DATASETS.register_module(force=True)
class SumData(Dataset):
    def __init__(self):
        self.x = torch.randn(32, 3, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


@MODELS.register_module(force=True)
class SumModel(BaseModel):
    def __init__(self):
        super().__init__(init_cfg={"type": "Xavier", "layer": "Linear"})
        self.net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.net(inputs).flatten()
        return {"loss": functional.mse_loss(out, data_samples)} if mode == "loss" else out


class Stopper(Hook):
    priority = "LOWEST"

    def __init__(self, losses, stop_at):
        self.losses, self.stop_at = losses, stop_at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        loss = outputs["loss"].clone()
        if dist.is_initialized():
            dist.all_reduce(loss)
            loss /= dist.get_world_size()
        self.losses.append(loss.item())
        if runner.iter + 1 == self.stop_at:
            raise KeyboardInterrupt


def run(work_dir, wrapper=None, world_size=1, stop_at=None, resume=False, amp=False, **more):
    losses = []
    job = {
        "work_dir": work_dir,
        "model": {"type": "SumModel"},
        "train_dataloader": {
            "batch_size": 8 // world_size,
            "dataset": {"type": "SumData"},
            "sampler": {"type": "DefaultSampler", "shuffle": True, "seed": 3},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "optim_wrapper": {
            "type": "AmpOptimWrapper" if amp else "OptimWrapper",
            "optimizer": {"type": "Adam", "lr": 0.05},
            "clip_grad": {"max_norm": 1.0},
        },
        "param_scheduler": [{"type": "LinearLR", "start_factor": 0.1, "by": "step"}],
        "default_hooks": {"checkpoint": {"type": "CheckpointHook", "interval": 1}},
        "randomness": {"seed": 3, "diff_rank_seed": world_size > 1},
        "launcher": "pytorch" if world_size > 1 else "none",
        "resume": resume,
        "model_wrapper_cfg": {"type": wrapper} if wrapper else None,
        **more,
    }
    runner = Runner.from_cfg(job)
    runner.register_hook(Stopper(losses, stop_at))
    with contextlib.suppress(KeyboardInterrupt):
        runner.train()
    return losses


def whole_and_resumed(folder, wrappers):
    """Losses of an uninterrupted run, and of one that was stopped and went on, for each wrapper."""
    found = {}
    for name in wrappers:
        whole = run(f"{folder}/{name}", name, 2)
        before = run(f"{folder}/{name}_stopped", name, 2, stop_at=9)
        after = run(f"{folder}/{name}_stopped", name, 2, resume=True)
        assert len(before) == 9
        found[name] = whole, before[:8] + after
        try:
            hooks = [{"type": "EMAHook"}]
            run(f"{folder}/{name}_ema", name, 2, stop_at=1, custom_hooks=hooks)
        except ValueError as error:
            found[f"{name} ema"] = str(error)
    return found


def part_of_a_run(work_dir, wrapper, world_size, stop_at):
    """Losses of a run that saves in each iteration, from where another one was stopped."""
    saving = {"checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 1}}
    return run(work_dir, wrapper, world_size, stop_at, resume=True, default_hooks=saving)
