"""What child processes of the tests run."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from eng.config import Config
from eng.dist import get_rank
from eng.fileio import LocalBackend
from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import DATASETS, MODELS
from eng.runner import Runner


@DATASETS.register_module(force=True)
class PlaneData(Dataset):
    """Points and their sums, the same in each process."""

    def __init__(self, length: int = 32) -> None:
        self.x = torch.randn(length, 4, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


@MODELS.register_module(force=True)
class PlaneModel(BaseModel):
    """Has dropout, so that its losses depend on the random state of its device."""

    def __init__(self, data_preprocessor: Any = None) -> None:
        super().__init__(data_preprocessor)
        self.net = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.3), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs).flatten()
        return {"loss": functional.mse_loss(out, data_samples)} if mode == "loss" else out


class LossFile(Hook):
    """Appends each loss to a file, to the bit, and kills its own process after an iteration."""

    priority = "LOWEST"

    def __init__(self, path: Path, kill_at: int | None = None) -> None:
        self.path, self.kill_at = path, kill_at

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{runner.iter} {float(outputs['loss']).hex()}\n")
        if runner.iter + 1 == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def plane_job(work_dir: str | Path, precision: str = "fp32", **more: Any) -> dict[str, Any]:
    """Config of a small run: 24 iterations in three epochs, a checkpoint every 3."""
    optim_wrapper: dict[str, Any] = {
        "type": "OptimWrapper",
        "optimizer": {"type": "Adam", "lr": 0.01},
    }
    if precision != "fp32":
        dtype = {"bf16": "bfloat16", "fp16": "float16"}[precision]
        optim_wrapper.update(type="AmpOptimWrapper", dtype=dtype)
    return {
        "work_dir": str(work_dir),
        "model": {
            "type": "PlaneModel",
            "data_preprocessor": {"type": "BaseDataPreprocessor", "non_blocking": True},
        },
        "train_dataloader": {
            "batch_size": 4,
            "dataset": {"type": "PlaneData"},
            "sampler": {"type": "DefaultSampler", "shuffle": True},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "optim_wrapper": optim_wrapper,
        "param_scheduler": {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        "default_hooks": {
            "checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 3},
        },
        "randomness": {"seed": 1},
        **more,
    }


def train_to_file(path: str, kill_at: int | None, job: dict[str, Any]) -> None:
    """Train, with each loss in a file."""
    runner = Runner.from_cfg(job)
    runner.register_hook(LossFile(Path(path), kill_at))
    runner.train()


def train_wrapped(work_dir: str, wrapper: str) -> tuple[str, str, list[float]]:
    """Train in a process group: backend, device of the weights, losses."""
    losses: list[float] = []

    class Losses(Hook):
        def after_train_iter(self, runner: Any, *args: Any, outputs: Any, **kwargs: Any) -> None:
            losses.append(float(outputs["loss"]))

    job = plane_job(work_dir, launcher="pytorch", model_wrapper_cfg={"type": wrapper})
    runner = Runner.from_cfg(job)
    runner.register_hook(Losses())
    runner.train()
    device = next(runner.model.parameters()).device.type
    return torch.distributed.get_backend(), device, losses


class Noter(Hook):
    """Puts a note into each checkpoint, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.keys: list[list[str]] = []
        self.metas: list[dict[str, Any]] = []

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        checkpoint["meta"]["note"] = "from a hook"
        self.keys.append(sorted(checkpoint))
        self.metas.append(dict(checkpoint["meta"]))


def train_with_notes(work_dir: str, wrapper: str) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """Train in a process group: keys and meta of the checkpoints that this process saw."""
    job = plane_job(work_dir, launcher="pytorch", model_wrapper_cfg={"type": wrapper})
    job["train_cfg"]["max_epochs"] = 1
    runner = Runner.from_cfg(job)
    noter = Noter()
    runner.register_hook(noter)
    runner.train()
    return noter.keys, noter.metas


def reference_run(by_epoch: bool) -> dict[str, Any]:
    """Samples, counters and losses of a run with shuffled data, momentum and a schedule."""
    seen: dict[str, Any] = {"samples": [], "counters": [], "losses": []}

    class Recorder(Hook):
        priority = "LOWEST"

        def after_train_iter(
            self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
        ) -> None:
            known = runner.train_dataloader.dataset.x
            rows = [int((known == x).all(1).nonzero()) for x in data_batch["inputs"]]
            seen["samples"].append(rows)
            seen["counters"].append([runner.epoch, runner.iter, batch_idx])
            seen["losses"].append(float(outputs["loss"]))

    with TemporaryDirectory() as folder:
        job = plane_job(folder)
        if not by_epoch:
            job["train_cfg"] = {"by_epoch": False, "max_iters": 20}
        job["optim_wrapper"]["optimizer"] = {"type": "SGD", "lr": 0.01, "momentum": 0.9}
        runner = Runner.from_cfg(job)
        runner.model.net[1].p = 0.0  # versions of torch may draw masks in other ways
        runner.register_hook(Recorder())
        runner.train()
    return seen


class NormedModel(BaseModel):
    """Has batch normalisation in a part that is frozen as well."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.frozen = nn.Sequential(nn.BatchNorm1d(3)).eval().requires_grad_(False)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return self.norm(inputs)


def norms_of_a_run(work_dir: str, sync_bn: str | None) -> list[tuple[str, bool, bool]]:
    """Class, training mode and need of gradients of each normalisation of a runner's model."""
    # Not DDP, which refuses synchronised ones on the CPU.
    cfg = Config({"model_wrapper_cfg": {"type": "MMFullyShard"}})
    cfg.update({"sync_bn": sync_bn} if sync_bn else {})
    runner = Runner(NormedModel(), work_dir, launcher="pytorch", cfg=cfg)
    norms = [m for m in runner.model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    return [(type(m).__name__, m.training, m.weight.requires_grad) for m in norms]


class JoiningRunner(Runner):
    """Looks around in ``setup_env``, as people's subclasses do."""

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        super().setup_env(env_cfg)
        self.seen = (self.rank, self.world_size, self.work_dir, self.timestamp)


def places_in_setup_env(work_dir: str) -> tuple[Any, Any]:
    """What an overridden ``setup_env`` sees, and what the runner says later."""
    runner = JoiningRunner(NormedModel(), work_dir, launcher="pytorch")
    later = (runner.rank, runner.world_size, runner.work_dir, runner.timestamp)
    return runner.seen, later


class Uneven:
    """A part that only the second process has a state of."""

    def take(self, point: Any) -> Any:
        return get_rank() or None

    def restore(self, state: Any) -> None:
        raise AssertionError("the first process, which saves, has none")


def names_of_parts(work_dir: str) -> list[str]:
    """Names of what is saved in this process."""
    runner = Runner(NormedModel(), work_dir, launcher="pytorch")
    runner.run_state.add("uneven", Uneven())
    return sorted(runner.run_state.take(runner.progress))


def resume_on_own_disks(folder: str) -> list[int]:
    """Train, and resume where the second process has no file of the first, then a damaged one."""
    job = plane_job(f"{folder}/work", launcher="pytorch", resume=True)
    read, done = LocalBackend.get, []

    def read_nothing(backend: LocalBackend, path: Any) -> bytes:
        raise FileNotFoundError(2, "no such file", str(path))

    def read_a_part(backend: LocalBackend, path: Any) -> bytes:
        return read(backend, path)[:-9]

    for end, other in ((3, read), (4, read_nothing), (5, read_a_part)):
        if get_rank() == 1:
            LocalBackend.get = other  # type: ignore[method-assign]
        job["train_cfg"] = {"by_epoch": False, "max_iters": end}
        runner = Runner.from_cfg(job)
        runner.load_or_resume()
        done.append(runner.iter)
        runner.train()
    return done


def fail_in_the_background(folder: str) -> str:
    """Train with a disk that is full after the first checkpoint: the error of this process."""
    put = LocalBackend.put_with

    def full(backend: LocalBackend, write: Any, path: Any) -> None:
        if str(path).endswith(".pth") and not str(path).endswith("iter_3.pth"):
            raise OSError(28, "No space left on device", str(path))
        put(backend, write, path)

    LocalBackend.put_with = full  # type: ignore[method-assign]
    job = plane_job(f"{folder}/work", launcher="pytorch")
    job["default_hooks"]["checkpoint"]["async_save"] = True
    try:
        Runner.from_cfg(job).train()
    except OSError as error:
        return str(error)
    return "nothing failed"


def load_and_fail_together(folder: str) -> tuple[list[int], str]:
    """Both of the above in one start of the processes."""
    put, read = LocalBackend.put_with, LocalBackend.get
    error = fail_in_the_background(f"{folder}/full")
    LocalBackend.put_with = put  # type: ignore[method-assign]
    done = resume_on_own_disks(f"{folder}/own")
    LocalBackend.get = read  # type: ignore[method-assign]
    return done, error


class StopAfterFirst(Hook):
    """Ends training after one iteration, and notes a random number of each generator."""

    def __init__(self) -> None:
        self.drawn: list[float] = []

    def before_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        self.drawn = [random.random(), float(np.random.rand()), float(torch.rand(()))]
        runner.train_loop.stop_training = True


def draw_after_resume(folder: str) -> list[float]:
    """Resume on as many processes as there are, and draw."""
    hook = StopAfterFirst()
    job = plane_job(folder, launcher="pytorch", resume=True, custom_hooks=[hook])
    Runner.from_cfg(job).train()
    return hook.drawn
