"""What each process of tests/test_strategy_runs.py does."""

import copy
import json

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from eng.checkpoint import get_state_dict
from eng.hooks import Hook
from eng.model import BaseModel
from eng.optim import OptimWrapper
from eng.registry import DATASETS, FUNCTIONS, MODELS
from eng.runner import DDPStrategy, FlexibleRunner, FSDPStrategy, Runner

LOCAL = {"type": "FSDPStrategy"}
FULL = {"type": "FSDPStrategy", "state_dict_cfg": "full"}


@DATASETS.register_module(force=True)
class DrawnData(Dataset):
    """Draws from the generators of the process, so that the order of building matters."""

    def __init__(self):
        self.x = torch.randn(16, 3)
        torch.distributed.broadcast(self.x, 0) if torch.distributed.is_initialized() else None

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


@MODELS.register_module(force=True)
class TwoLayers(BaseModel):
    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor, init_cfg={"type": "Xavier", "layer": "Linear"})
        self.net = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.2), nn.Tanh(), nn.Linear(5, 1))
        self.register_buffer("scale", torch.tensor(1.0), persistent=False)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.net(inputs).flatten() * self.scale
        return {"loss": functional.mse_loss(out, data_samples)} if mode == "loss" else out


@FUNCTIONS.register_module(force=True)
def is_layer(module, kind):
    return type(module).__name__ == kind


class Losses(Hook):
    priority = "LOWEST"

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        loss = outputs["loss"].detach().clone()
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(loss)
        self.losses.append(loss.item())


def job(work_dir, **changes):
    launcher = "pytorch" if torch.distributed.is_initialized() else "none"
    return {
        "work_dir": work_dir,
        "model": {"type": "TwoLayers"},
        "train_dataloader": {
            "batch_size": 2,
            "dataset": {"type": "DrawnData"},
            "sampler": {"type": "DefaultSampler", "shuffle": True},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 2},
        "optim_wrapper": {
            "optimizer": {"type": "Adam", "lr": 0.05},
            "clip_grad": {"max_norm": 1.0},
            "accumulative_counts": 2,
        },
        "param_scheduler": [{"type": "LinearLR", "start_factor": 0.1, "by_epoch": False}],
        "auto_scale_lr": {"enable": True, "base_batch_size": 2},
        "randomness": {"seed": 3, "diff_rank_seed": launcher != "none"},
        "launcher": launcher,
        **changes,
    }


def run(runner_type, work_dir, **changes):
    """Losses of a training."""
    hook = Losses()
    runner = runner_type.from_cfg(job(work_dir, **changes))
    runner.register_hook(hook)
    runner.train()
    return hook.losses


def losses_and_resumed(folder):
    """Losses by runner and strategy, and of what each of them resumes from others."""
    losses = {
        "runner": run(Runner, f"{folder}/runner"),
        "ddp": run(FlexibleRunner, f"{folder}/ddp"),
        "local": run(FlexibleRunner, f"{folder}/local", strategy=LOCAL),
    }
    file, shards = f"{folder}/runner/epoch_1.pth", f"{folder}/local/epoch_1"
    resumed = {
        "full from runner": run(FlexibleRunner, f"{folder}/full", strategy=FULL, resume=file),
        "ddp from local": run(FlexibleRunner, f"{folder}/ddp2", resume=shards),
        "runner from local": run(Runner, f"{folder}/runner2", load_from=shards, resume=True),
    }
    return losses, resumed


def sharded_by_hand(folder):
    """What an FSDP strategy does without a runner, with each of its settings."""
    found = {}
    optimizer = {"optimizer": {"type": "Adam", "lr": 0.05}}
    env = {"launcher": "pytorch", "randomness": {"seed": 5}}
    model = TwoLayers()
    built = OptimWrapper(torch.optim.Adam(model.parameters(), lr=0.05))
    plain = copy.deepcopy(model)
    first = FSDPStrategy(
        work_dir=folder,
        env_kwargs=env,
        model_wrapper={
            "auto_wrap_policy": {"type": "size_based_auto_wrap_policy", "min_num_params": 1}
        },
        activation_checkpointing={"check_fn": {"type": "is_layer", "kind": "Linear"}},
    )
    wrapped, wrapper = first.prepare(model, optim_wrapper=built)
    found["same again"] = first.prepare(model, optim_wrapper=built) == [wrapped, wrapper]
    found["recomputed"] = [
        name for name, _ in wrapped.named_modules() if "checkpoint" in name
    ] != []
    other = FSDPStrategy(work_dir=folder, env_kwargs=env)
    found["kept"] = other.prepare(wrapped) == [wrapped]
    data = {"inputs": torch.ones(2, 3), "data_samples": torch.zeros(2)}
    wrapped.train_step(data, wrapper)
    found["trains"] = sum(p.numel() for g in wrapper.param_groups for p in g["params"])
    first.save_checkpoint(f"{folder}/epoch_1.pth", extra_ckpt={"note": "kept"})
    state = first.model_state_dict()
    if first.rank == 0:
        found["changed"] = {n: not torch.equal(v, plain.state_dict()[n]) for n, v in state.items()}
    second = FSDPStrategy(work_dir=folder, env_kwargs=env, skip_init_weights=True)
    sharded, *_ = second.prepare({"type": "TwoLayers"}, optim_wrapper=optimizer)
    rest = second.resume(f"{folder}/epoch_1.pth")
    found["rest"] = sorted(rest)
    again = second.model_state_dict()
    found["equal"] = all(torch.equal(again[name], each) for name, each in state.items())
    found["buffer"] = float(sharded.module.scale)
    third = DDPStrategy(work_dir=folder, env_kwargs=env)
    whole, *_ = third.prepare({"type": "TwoLayers"}, optim_wrapper=optimizer)
    third.resume(f"{folder}/epoch_1")
    if third.rank == 0:
        weights = get_state_dict(whole)
        found["ddp equal"] = all(torch.equal(weights[name], each) for name, each in state.items())
    found["step"] = {float(each["step"]) for each in third.optim_state_dict()["state"].values()}
    found["files"] = json.dumps(third.collect_env()[1]["world_size"])
    return found
