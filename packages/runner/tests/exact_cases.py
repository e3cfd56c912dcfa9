"""Kill a training run again and again, resume it, and compare it with one that ran through.

A program of its own: each life of a run is forked from a process that has imported everything. It
reads cases as JSON, one a line, and writes what it found of each, one a line.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from eng.dist import get_rank
from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import DATASETS, HOOKS, METRICS, MODELS
from eng.runner import Runner

SAMPLES = 22
BATCH = 4


@dataclass(frozen=True)
class Case:
    """One set-up of training."""

    loop: str = "epoch"
    workers: str = "0"
    source: str = "sampler"
    best: bool = False
    accumulation: str = "1"
    ema: bool = False
    precision: str = "fp32"
    processes: int = 1
    saves: str = "unit"
    seed: bool = True


DIMENSIONS: dict[str, list[Any]] = {
    "loop": ["epoch", "iter"],
    "workers": ["0", "2", "persistent"],
    "source": ["sampler", "shuffle", "object"],
    "best": [True, False],
    "accumulation": ["1", "3", "3, not divisible"],
    "ema": [True, False],
    "precision": ["fp32", "bf16"],
    "processes": [1, 2],
    "saves": ["unit", "iterations"],
    "seed": [True, False],
}


def pairwise(seed: int = 0) -> list[Case]:
    """Cases in which each two values of two dimensions meet at least once."""
    rng = random.Random(seed)
    names = list(DIMENSIONS)
    missing = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(names, 2)
        for x in DIMENSIONS[a]
        for y in DIMENSIONS[b]
    }
    cases = []
    while missing:
        tries = [{name: rng.choice(DIMENSIONS[name]) for name in names} for _ in range(200)]
        best = max(tries, key=lambda each: len(missing & _pairs(each)))
        missing -= _pairs(best)
        cases.append(Case(**best))
    return cases


def _pairs(values: dict[str, Any]) -> set[Any]:
    return set(itertools.combinations(values.items(), 2))


# ---------------------------------------------------------------------- the job


@DATASETS.register_module(force=True)
class NoisyPoints(Dataset):
    """Points with noise from all three generators, drawn where the sample is prepared."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(SAMPLES, 4, generator=generator)
        self.y = self.x.sum(1, keepdim=True)

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> dict[str, Any]:
        noise = random.gauss(0, 0.1) + float(np.random.normal()) * 0.1 + torch.randn(4) * 0.1
        return {"inputs": self.x[index] + noise, "data_samples": (self.y[index], int(index))}


@MODELS.register_module(force=True)
class NoisyNet(BaseModel):
    """Normalises batches, drops units, and is random where it predicts, too."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1)
        )

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        if mode == "loss":
            return {"loss": F.mse_loss(self.net(inputs), data_samples[0])}
        out = self.net(inputs + torch.randn_like(inputs) * 0.1)
        return [{"error": float(e)} for e in (out - data_samples[0]).abs().flatten()]


@METRICS.register_module(force=True)
class ExactError(BaseMetric):
    """Mean error, whose last digits depend on the order of the samples."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["error"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"error": sum(results) / len(results)}


@HOOKS.register_module(force=True)
class Trace(Hook):
    """Writes each iteration and each validation as a line, which a kill leaves whole or not."""

    priority = "LOW"  # before a checkpoint is saved: what is in it has its line

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def _write(self, line: dict[str, Any]) -> None:
        with Path(self.folder, f"trace-{get_rank()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self._write(
            {
                "at": f"train {runner.iter}",
                "batch": batch_idx,
                "indices": data_batch["data_samples"][1].tolist(),
                "loss": outputs["loss"].item().hex(),
                "lr": runner.optim_wrapper.get_lr()["lr"][0].hex(),
            }
        )

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        found = {name: float(value).hex() for name, value in (metrics or {}).items()}
        # State that depends on the validations there were, as that of a schedule by a metric.
        seen = runner.message_hub.runtime_info.get("errors_seen", [])
        runner.message_hub.update_info("errors_seen", [*seen, found])
        self._write({"at": f"val {runner.iter}", "metrics": found})


def make_runner(case: Case, work_dir: str) -> Runner:
    """The job of a case."""
    by_epoch = case.loop == "epoch"
    unit = by_epoch and case.saves == "unit"
    checkpoint = {"type": "CheckpointHook", "interval": 1 if unit else 2, "by_epoch": unit}
    checkpoint["max_keep_ckpts"] = 2
    schedulers: list[dict[str, Any]] = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 5},
    ]
    if case.best:
        checkpoint.update(save_best="error", rule="less")
    amp = {"type": "AmpOptimWrapper", "dtype": "bfloat16"} if case.precision == "bf16" else {}
    length = 24 if case.accumulation == "3" else 22
    train_cfg = {"by_epoch": True, "max_epochs": 4, "val_interval": 1}
    if not by_epoch:
        train_cfg = {"by_epoch": False, "max_iters": length, "val_interval": 5}
    settings: dict[str, Any] = {}
    if case.best:
        settings = {
            "val_dataloader": _loader(case, training=False),
            "val_cfg": {},
            "val_evaluator": {"type": "ExactError"},
        }
    return Runner(
        model={"type": "NoisyNet"},
        work_dir=work_dir,
        train_dataloader=_loader(case, training=True),
        train_cfg=train_cfg,
        optim_wrapper={
            "optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9},
            "accumulative_counts": 1 if case.accumulation == "1" else 3,
            **amp,
        },
        param_scheduler=schedulers,
        default_hooks={"checkpoint": checkpoint, "logger": {"type": "LoggerHook", "interval": 3}},
        custom_hooks=[
            {"type": "Trace", "folder": work_dir},
            *([{"type": "EMAHook", "momentum": 0.1}] if case.ema else []),
        ],
        launcher="pytorch" if case.processes > 1 else "none",
        env_cfg={"dist_cfg": {"backend": "gloo"}},
        randomness={"seed": 3 if case.seed else None},
        resume=True,
        experiment_name="exact",
        **settings,
    )


def _loader(case: Case, training: bool) -> Any:
    persistent = case.workers == "persistent"
    workers = 2 if persistent else int(case.workers)
    settings = {
        "batch_size": BATCH,
        "num_workers": workers,
        **({"persistent_workers": True} if persistent else {}),
    }
    if case.source == "object":
        return DataLoader(NoisyPoints(), shuffle=training, **settings)
    order: dict[str, Any] = {"sampler": {"type": "DefaultSampler", "shuffle": training}}
    if case.source == "shuffle":
        order = {"shuffle": training}
    return {
        **settings,
        **order,
        "dataset": {"type": "NoisyPoints"},
        "collate_fn": {"type": "default_collate"},
    }


# ---------------------------------------------------------------------- lives


def spawn(case: Case, work_dir: Path, run: Callable[[Case, str], None]) -> int:
    """Fork a life of a run, in a process group of its own.

    Returns:
        The process id, which is that of the group.
    """
    pid = os.fork()
    if pid == 0:
        os.setsid()
        log = os.open(work_dir / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _exit_after(lambda: _live(case, str(work_dir), run))
    return pid


def _live(case: Case, work_dir: str, run: Callable[[Case, str], None]) -> int:
    if case.processes == 1:
        run(case, work_dir)
        return 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ranks = []
    for rank in range(case.processes):
        pid = os.fork()
        if pid == 0:
            _exit_after(lambda: _join(rank, port, case, work_dir, run))  # noqa: B023 - at once
        ranks.append(pid)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in ranks)


def _join(rank: int, port: int, case: Case, work_dir: str, run: Callable[[Case, str], None]) -> int:
    """One process of several."""
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(case.processes),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )
    run(case, work_dir)
    torch.distributed.destroy_process_group()
    return 0


def _exit_after(work: Callable[[], int]) -> NoReturn:
    """End a forked process by the status of its work, and say in its output what went wrong."""
    status = 1
    try:
        status = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def train(case: Case, work_dir: str) -> None:
    """One life of a run."""
    # What a seed is drawn from: the same wherever a run begins, another one where it is resumed.
    is_resumed = Path(work_dir, "last_checkpoint").exists()
    np.random.seed(os.getpid() if is_resumed else 0)
    make_runner(case, work_dir).train()


def wait_or_kill(pid: int, is_over: Callable[[], bool]) -> int | None:
    """Wait for a life to end, or kill all its processes when its time has come.

    Args:
        pid: Its process id.
        is_over: Says whether the time has come, asked again and again.

    Returns:
        Its exit status, None if it was killed.
    """
    while not is_over():
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    kill_group(pid)
    os.waitpid(pid, 0)
    return None


def after_seconds(seconds: float) -> Callable[[], bool]:
    """A time that comes after some seconds."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def random_moment(rng: random.Random, trace: Path, whole: Path) -> Callable[[], bool]:
    """A time that comes at a random moment of what is left of a run, or of its beginning."""
    there = _count_lines(trace)
    left = len({_parse(line)["at"] for line in whole.read_text().splitlines()} - _done(trace))
    limit = after_seconds(240)
    if left == 0:
        return limit
    if rng.random() < 0.1:
        return after_seconds(rng.uniform(0, 1))
    lines = there + rng.randint(1, left)
    # A save, or the end of the run, lies in between.
    seconds = rng.uniform(0, 0.03)
    end: Callable[[], bool] | None = None

    def is_over() -> bool:
        nonlocal end
        if end is None and _count_lines(trace) >= lines:
            end = after_seconds(seconds)
        return limit() or (end is not None and end())

    return is_over


def _count_lines(trace: Path) -> int:
    return trace.read_bytes().count(b"\n") if trace.exists() else 0


def _done(trace: Path) -> set[str]:
    """What a run has done by now, as far as its lines are whole."""
    lines = trace.read_bytes().split(b"\n")[:-1] if trace.exists() else []
    return {_parse(line.decode())["at"] for line in lines if line.endswith(b"}")}


def kill_group(pid: int) -> None:
    """Kill a process group, as it may be before it has become one."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)


# ---------------------------------------------------------------------- comparing


@dataclass
class Report:
    """What was found of a case."""

    case: dict[str, Any]
    kills: int = 0
    runs: int = 0
    problems: list[str] = field(default_factory=list)


def compare_traces(expected: Path, found: Path) -> Iterator[str]:
    """Lines of a run that differ from those of another, in whichever life they were written."""
    for path in sorted(expected.glob("trace-*.jsonl")):
        lines = [_parse(line) for line in path.read_text().splitlines()]
        right = {line["at"]: line for line in lines}
        done = set()
        for text in (found / path.name).read_text().splitlines():
            try:
                line = _parse(text)
            except ValueError:  # cut off by a kill
                continue
            done.add(line["at"])
            if line != right.get(line["at"]):
                yield f"{path.name}: {line} instead of {right.get(line['at'])}"
        if set(right) - done:
            yield f"{path.name}: never done: {sorted(set(right) - done)}"


def _parse(text: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(text)
    return line


def compare_checkpoints(expected: Path, found: Path) -> Iterator[str]:
    """Differences of the last checkpoints of two runs."""
    names = [_last(folder) for folder in (expected, found)]
    if names[0] != names[1]:
        yield f"the last checkpoint is {names[1]} instead of {names[0]}"
        return
    states = [
        torch.load(folder / name, weights_only=True)
        for folder, name in zip((expected, found), names, strict=True)
    ]
    yield from _differences("", *states)


#: Parts of a checkpoint that differ between any two runs: times, and their names.
_OWN = (
    "meta",
    "message_hub.log_scalars",
    "message_hub.resumed_keys",  # those of times are of the life that took them
    "message_hub.runtime_info.run_id",
    "message_hub.runtime_info.experiment_name",
)


def _last(folder: Path) -> str:
    return Path((folder / "last_checkpoint").read_text().strip()).name


def _differences(place: str, a: Any, b: Any) -> Iterator[str]:
    if place.strip(".").startswith(_OWN):
        return
    if type(a) is not type(b):
        yield f"{place}: {a!r:.60} became {b!r:.60}"
    elif isinstance(a, dict):
        if set(map(str, a)) != set(map(str, b)):
            yield f"{place}: keys {sorted(map(str, a))} became {sorted(map(str, b))}"
            return
        for key in a:
            yield from _differences(f"{place}.{key}", a[key], b[key])
    elif isinstance(a, (list, tuple)):
        if len(a) != len(b):
            yield f"{place}: length {len(a)} became {len(b)}"
        for number, pair in enumerate(zip(a, b, strict=False)):
            yield from _differences(f"{place}.{number}", *pair)
    elif isinstance(a, torch.Tensor):
        if a.dtype != b.dtype or not torch.equal(a, b):
            yield f"{place}: another tensor"
    elif a != b and not str(a).startswith("/"):
        yield f"{place}: {a!r:.60} became {b!r:.60}"


# ---------------------------------------------------------------------- cases


def try_case(case: Case, kills: int, seed: int, folder: Path) -> Report:
    """Kill runs of a case until there were enough kills, and hold each against the whole run."""
    report = Report(asdict(case))
    rng = random.Random(seed)
    whole = _make(folder / "whole")
    if wait_or_kill(spawn(case, whole, train), after_seconds(240)) != 0:
        report.problems.append("the run itself fails: " + _tail(whole))
        return report
    while report.kills < kills and not report.problems:
        killed = _make(folder / f"killed-{report.runs}")
        status: int | None = None
        while status is None:
            if report.kills < kills:
                moment = random_moment(rng, killed / "trace-0.jsonl", whole / "trace-0.jsonl")
            else:  # enough: the last life goes on to the end
                moment = after_seconds(240)
            status = wait_or_kill(spawn(case, killed, train), moment)
            report.kills += status is None
        report.runs += 1
        if status != 0:
            report.problems.append("a resumed run fails: " + _tail(killed))
            break
        report.problems += itertools.islice(compare_traces(whole, killed), 3)
        report.problems += itertools.islice(compare_checkpoints(whole, killed), 8)
        if not report.problems:
            shutil.rmtree(killed)
    return report


def _make(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _tail(work_dir: Path) -> str:
    return (work_dir / "output.txt").read_text()[-3000:]


def main() -> None:
    """Read cases, and report of each."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    for number, line in enumerate(sys.stdin):
        order = json.loads(line)
        case = Case(**order["case"])
        report = try_case(case, order["kills"], order["seed"], folder / str(number))
        print(json.dumps(asdict(report)), flush=True)


if __name__ == "__main__":
    main()
