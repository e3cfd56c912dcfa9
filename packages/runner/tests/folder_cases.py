"""What the processes of tests of checkpoints that are folders do."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn import functional
from torch.utils.data import Dataset

from eng.checkpoint import CheckpointLoader, get_state_dict, keep_shards
from eng.evaluator import BaseMetric
from eng.hooks import CheckpointHook, Hook
from eng.model import BaseModel, MMDistributedDataParallel
from eng.registry import DATASETS, METRICS, MODEL_WRAPPERS, MODELS
from eng.runner import Runner


@DATASETS.register_module(force=True)
class FolderData(Dataset):
    def __init__(self, width: int) -> None:
        self.x = torch.randn(64, width, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


class FolderBlock(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Any) -> Any:
        return x + self.drop(self.down(torch.tanh(self.up(x))))


@MODELS.register_module(force=True)
class FolderModel(BaseModel):
    """Blocks, with a last dimension of 1, of which some processes have no part."""

    def __init__(
        self, width: int, depth: int = 2, dropout: float = 0.0, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[FolderBlock(width, dropout) for _ in range(depth)])
        self.norm = nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.head(self.norm(self.blocks(inputs))).flatten()
        if mode == "predict":
            return [{"error": float(each)} for each in (out - data_samples).abs()]
        return {"loss": functional.mse_loss(out, data_samples)} if mode == "loss" else out


@METRICS.register_module(force=True)
class FolderError(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["error"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"loss": sum(results) / len(results)}


@MODEL_WRAPPERS.register_module(force=True)
class TensorParallelByHand(MMDistributedDataParallel):
    """Tensor parallelism in blocks, and FSDP over the other dimension of the mesh."""

    def __init__(self, module: Any, sizes: tuple[int, int] = (2, 2), **kwargs: Any) -> None:
        nn.Module.__init__(self)
        mesh = init_device_mesh("cpu", sizes, mesh_dim_names=("shard", "tensor"))
        plan = {"up": ColwiseParallel(), "down": RowwiseParallel()}
        for block in module.blocks:
            parallelize_module(block, mesh["tensor"], plan)
        if sizes[0] > 1:
            for block in module.blocks:
                fully_shard(block, mesh=mesh["shard"])
            fully_shard(module, mesh=mesh["shard"])
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        return self.module.train_step(data, optim_wrapper)


WRAPPERS: dict[str, dict[str, Any] | None] = {
    "one": None,
    "ddp": {"type": "MMDistributedDataParallel"},
    "fsdp1": {"type": "MMFullyShardedDataParallel"},
    "fsdp2": {"type": "MMFullyShard"},
    "hsdp": {"type": "MMFullyShard", "mesh": {"data": 2, "shard": 2}},
    "tensor": {"type": "TensorParallelByHand", "sizes": (1, 2)},
    "tensor2d": {"type": "TensorParallelByHand", "sizes": (2, 2)},
    "parallel": None,
}
#: The setting of the layout of that name: four processes, of which two share their samples.
PARALLEL = {
    "data": 1,
    "shard": 2,
    "tensor": 2,
    "wrap": ["FolderBlock"],
    "tensor_plan": {"blocks.*.up": "columns", "blocks.*.down": "rows"},
}


class LossRecord(Hook):
    """Records the mean loss of all processes, and calls a function before iterations."""

    priority = "LOWEST"

    def __init__(self, before: Any = None) -> None:
        self.losses: list[float] = []
        self.before = before

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if self.before is not None:
            self.before(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        loss = outputs["loss"].detach().clone()
        if dist.is_initialized():
            dist.all_reduce(loss)
            loss /= dist.get_world_size()
        self.losses.append(loss.item())


def make_runner(
    work_dir: str,
    layout: str,
    iters: int,
    checkpoint: Mapping[str, Any],
    model: Mapping[str, Any] = {"width": 6},
    **more: Any,
) -> Runner:
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    if layout == "parallel":
        more, world_size = {"parallel": PARALLEL, **more}, 2
    job = {
        "work_dir": work_dir,
        "model": {"type": "FolderModel", **model},
        "train_dataloader": {
            "batch_size": 8 // world_size,
            "dataset": {"type": "FolderData", "width": model["width"]},
            "sampler": {"type": "DefaultSampler", "shuffle": True, "seed": 3},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": False, "max_iters": iters},
        "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 0.01}},
        "param_scheduler": [{"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8}],
        "default_hooks": {
            "checkpoint": {"type": "CheckpointHook", "by_epoch": False, **checkpoint}
        },
        "randomness": {"seed": 3},
        "launcher": "none" if layout == "one" else "pytorch",
        "model_wrapper_cfg": WRAPPERS[layout],
        "log_level": "WARNING",
        **more,
    }
    return Runner.from_cfg(job)


def resaved(layout: str, source: str, target: str, model: Mapping[str, Any] = {"width": 6}) -> None:
    """Resume in a layout, and save the same state again as a folder."""
    torch.set_num_threads(1)
    runner = make_runner(target, layout, 100, {"interval": 100, "format": "folder"}, model)
    runner.resume(source)
    (hook,) = [each for each in runner.hooks if isinstance(each, CheckpointHook)]
    hook.before_train(runner)
    hook.save_now(runner)


def trained(
    work_dir: str, layout: str, until: int, batch_norm: bool = True, **settings: Any
) -> list[float]:
    """Losses of a run that resumes from what is there, and is saved at its end."""
    torch.set_num_threads(1)
    settings = {"model": {"width": 6, "batch_norm": batch_norm}, **settings}
    checkpoint = {"interval": 1000, **settings.pop("checkpoint", {})}
    runner = make_runner(work_dir, layout, until, checkpoint, resume=True, **settings)
    record = LossRecord()
    runner.register_hook(record)
    runner.train()
    return record.losses


def saved_by_two_hooks(work_dir: str, layout: str, iters: int) -> None:
    """Train with validations, the best of them kept, and two hooks that save at the same time."""
    torch.set_num_threads(1)
    checkpoint = {
        "interval": 1,
        "max_keep_ckpts": 2,
        "save_best": "loss",
        "save_top_k": 2,
        "async_save": True,
    }
    second = {"interval": 2, "filename_tmpl": "second_{}.pth"}
    hook = {"type": "CheckpointHook", "by_epoch": False, "async_save": True, **second}
    loader = {
        "batch_size": 8,
        "dataset": {"type": "FolderData", "width": 6},
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "default_collate"},
    }
    runner = make_runner(
        work_dir,
        layout,
        iters,
        checkpoint,
        custom_hooks=[hook],
        train_cfg={"by_epoch": False, "max_iters": iters, "val_interval": 2},
        val_dataloader=loader,
        val_cfg={},
        val_evaluator={"type": "FolderError"},
        resume=True,
    )
    runner.train()


def digest(path: str) -> dict[str, Any]:
    """All tensors of a checkpoint by their names, with those of the optimizer by number."""
    checkpoint = CheckpointLoader.load_checkpoint(path, "cpu", "silent")
    found = dict(checkpoint["state_dict"])
    found.update({f"ema {name}": v for name, v in checkpoint.get("ema_state_dict", {}).items()})
    for number, state in checkpoint["optimizer"]["state"].items():
        found.update({f"optimizer {number} {key}": value for key, value in state.items()})
    return found


class BackgroundSaves(Hook):
    """Keeps what is to be saved, and the seconds that training waits for it."""

    priority = "LOWEST"

    def __init__(self, folder: Path) -> None:
        self.folder, self.seconds = folder, []

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        with keep_shards():
            state = get_state_dict(runner.model)
        whole = {
            name: value.full_tensor().clone() if hasattr(value, "full_tensor") else value.clone()
            for name, value in state.items()
        }
        if dist.get_rank() == 0:
            torch.save(whole, self.folder / f"{checkpoint['meta']['iter']}.pth")


def saved_in_background(work_dir: str, expected: str, layout: str, saves: int) -> None:
    """Train with a save in the background in each iteration."""
    torch.set_num_threads(1)
    Path(expected).mkdir(exist_ok=True)
    checkpoint = {"interval": 1, "async_save": True}
    runner = make_runner(work_dir, layout, saves, checkpoint)
    runner.register_hook(BackgroundSaves(Path(expected)))
    runner.train()


def timed_saves(work_dir: str, layout: str, saves: int, model: dict[str, Any]) -> list[float]:
    """Seconds for which training waits at each save in the background."""
    torch.set_num_threads(1)
    seconds: list[float] = []
    runner = make_runner(work_dir, layout, 4 * saves, {"interval": 4, "async_save": True}, model)
    (hook,) = [each for each in runner.hooks if isinstance(each, CheckpointHook)]
    save = hook._save

    def timed(*args: Any) -> None:
        begin = time.monotonic()
        save(*args)
        seconds.append(time.monotonic() - begin)

    hook._save = timed  # type: ignore[method-assign]
    runner.train()
    return seconds


class KilledInASave(Hook):
    """Kills a process some time after the beginning of a save."""

    def __init__(self, rank: int, number: int, delay: float, mark: Path) -> None:
        self.rank, self.left, self.delay, self.mark = rank, number, delay, mark

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        self.left -= 1
        if self.left == 0:
            if dist.get_rank() == 0:
                self.mark.write_text(str(checkpoint["meta"]["iter"]))
            if dist.get_rank() == self.rank:
                threading.Timer(self.delay, os.kill, (os.getpid(), signal.SIGKILL)).start()


def killed_in_a_save(
    work_dir: str, layout: str, settings: dict[str, Any], kill: tuple[int, int, float]
) -> None:
    """Train from what is there, with a save in each iteration, until a process is killed."""
    torch.set_num_threads(1)
    checkpoint = {"interval": 1, "max_keep_ckpts": 2, **settings}
    model = {"width": 128, "dropout": 0.2}
    runner = make_runner(work_dir, layout, 100_000, checkpoint, model, resume=True)
    runner.register_hook(KilledInASave(*kill, Path(f"{work_dir}_mark")))
    runner.train()


class SignalAt(Hook):
    """Sends SIGTERM to one process in an iteration."""

    def __init__(self, rank: int, iteration: int) -> None:
        self.rank, self.iteration = rank, iteration

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.iteration and dist.get_rank() == self.rank:
            os.kill(os.getpid(), signal.SIGTERM)


#: Settings in which a run has every kind of state.
FULL = {
    "model": {"width": 16, "dropout": 0.3},
    "optim_wrapper": {
        "type": "AmpOptimWrapper",
        "dtype": "bfloat16",
        "accumulative_counts": 3,
        "optimizer": {"type": "Adam", "lr": 0.01},
    },
    "custom_hooks": [{"type": "EMAHook", "momentum": 0.1}],
    "checkpoint": {"interval": 4, "async_save": True},
}


def terminated(work_dir: str, layout: str, rank: int, iteration: int, until: int) -> list[float]:
    """Losses of a run of which one process gets SIGTERM, and ends within the iteration."""
    torch.set_num_threads(1)
    settings = {name: value for name, value in FULL.items() if name not in ("checkpoint", "model")}
    runner = make_runner(
        work_dir, layout, until, FULL["checkpoint"], FULL["model"], resume=True, **settings
    )
    record = LossRecord()
    runner.register_hook(SignalAt(rank, iteration))
    runner.register_hook(record)
    with contextlib.suppress(SystemExit):
        runner.train()
    return record.losses


def trained_fully(work_dir: str, layout: str, until: int, model: dict[str, Any]) -> None:
    """Train as :func:`killed_in_a_save` does, to the end."""
    torch.set_num_threads(1)
    checkpoint = {"interval": 1, "max_keep_ckpts": 2}
    make_runner(work_dir, layout, until, checkpoint, model, resume=True).train()


def measured(work_dir: str, layout: str, model: dict[str, Any]) -> dict[str, float]:
    """Seconds of a save and a resume, and the peaks of memory over what was used before, in MB."""
    torch.set_num_threads(1)
    found: dict[str, float] = {}

    def save(runner: Any) -> None:
        if runner.iter == 2:
            (hook,) = [each for each in runner.hooks if isinstance(each, CheckpointHook)]
            with _measuring(found, "save"):
                hook.save_now(runner)

    checkpoint = {"interval": 100, "save_last": False}
    runner = make_runner(work_dir, layout, 3, checkpoint, model)
    runner.register_hook(LossRecord(before=save))
    runner.train()
    del runner
    runner = make_runner(work_dir, layout, 4, checkpoint, model)
    runner._prepare_training()
    with _measuring(found, "resume"):
        runner.resume(f"{work_dir}/iter_2")
    return found


@contextlib.contextmanager
def _measuring(found: dict[str, float], name: str) -> Iterator[None]:
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is used now
    before, begin = _read_memory("VmRSS"), time.monotonic()
    yield
    found[f"{name} seconds"] = time.monotonic() - begin
    found[f"{name} MB"] = _read_memory("VmHWM") - before


def _read_memory(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:"))
