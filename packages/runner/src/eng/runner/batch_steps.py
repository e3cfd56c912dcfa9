"""Training steps that reach the peak of memory of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from eng.config import Config, ConfigDict
from eng.dataset import length_of
from eng.device import get_device, get_max_memory
from eng.optim import OptimWrapper, OptimWrapperDict
from eng.utils import UserError

from .batch_outcome import BatchTrial
from .dataloader_info import is_endless
from .first_mistakes import mistakes_explained
from .runner import Runner
from .trial_run import trial_runner

__all__ = ["place_before_update", "try_batch_size"]

#: Settings of a data loader that start processes or copy ahead.
_AHEAD = ("num_workers", "persistent_workers", "prefetch_factor", "prefetch_to_device")

#: Limit and use of the memory of a control group, version 2 and 1.
_GROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def try_batch_size(cfg: Config, size: int, memory_limit: int | None) -> BatchTrial:
    """Train on the first batch of a size until an update is done and the next one is under way.

    Args:
        cfg: The config. Changed.
        size: The batch size.
        memory_limit: Bytes that may be taken from now on. None: as much as there is.

    Returns:
        The trial, which fits.

    Raises:
        Exception: Whatever the step raises, also for want of memory.
    """
    on_cpu = get_device() == "cpu"
    if on_cpu:
        _limit_process(_find_available() if memory_limit is None else memory_limit)
    elif memory_limit is not None:
        _limit_device(memory_limit)
    _set_batch_size(cfg, size)
    with trial_runner(cfg, "eng batch-find") as runner:
        loader = runner.train_dataloader
        samples = None if is_endless(loader) else length_of(getattr(loader, "dataset", None))
        if samples is None or size <= samples:
            with mistakes_explained(runner.model, "train_dataloader"):
                _take_steps(runner)
    peak = _measure_process() if on_cpu else get_max_memory() * 2**20
    return BatchTrial(size, True, peak, samples)


def _set_batch_size(cfg: Config, size: int) -> None:
    loader: ConfigDict = cfg["train_dataloader"]
    for name in _AHEAD:
        loader.pop(name, None)
    batch_sampler = loader.get("batch_sampler")
    (loader if batch_sampler is None else batch_sampler)["batch_size"] = size


def _take_steps(runner: Runner) -> None:
    """Take steps up to the peak: with a state of the optimizer, and with gradients if they wait."""
    model: Any = runner.model.train()
    batch = next(iter(runner.train_dataloader))
    wrapper = runner.optim_wrapper
    is_accumulated = isinstance(wrapper, OptimWrapperDict) or wrapper.accumulative_counts > 1
    if not isinstance(wrapper, OptimWrapperDict):
        place_before_update(wrapper)
    for _ in range(3 if is_accumulated else 2):
        model.train_step(batch, optim_wrapper=wrapper)
    if get_device() == "cuda":
        torch.cuda.synchronize()


def place_before_update(wrapper: OptimWrapper) -> None:
    """Let the next iteration of a trial be the last of a cycle of accumulated ones.

    Args:
        wrapper: The wrapper of one optimizer.
    """
    counts = wrapper.accumulative_counts
    wrapper.stop_on_nan_loss = False
    wrapper.load_accumulation_state({"inner_count": counts - 1, "accumulative_counts": counts})


def _limit_device(limit: int) -> None:
    if get_device() != "cuda":
        raise UserError(f"a memory limit is for CPU and CUDA, not for {get_device()}")
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))


def _limit_process(limit: int | None) -> None:
    """Limit the address space to the present one and some bytes, so that the machine goes on."""
    pages = Path("/proc/self/statm")
    if limit is None or not pages.exists():
        if limit is not None:
            raise UserError("a memory limit needs Linux")
        return
    import resource

    present = int(pages.read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = present + limit if hard == resource.RLIM_INFINITY else min(hard, present + limit)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _find_available() -> int | None:
    """Bytes that are available on this machine, and in the control group of this process."""
    known: list[int] = []
    memory = Path("/proc/meminfo")
    if memory.exists():
        lines = dict(line.split(":", 1) for line in memory.read_text().splitlines())
        known += [int(lines["MemAvailable"].split()[0]) * 1024]
    for names in _GROUP_FILES:
        most, used = (Path("/sys/fs/cgroup", name) for name in names)
        text = most.read_text().strip() if most.exists() and used.exists() else "max"
        if text != "max":
            known.append(int(text) - int(used.read_text()))
    return max(0, min(known)) if known else None


def _measure_process() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
