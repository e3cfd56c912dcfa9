"""Find the process that the others wait for, and why it is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from eng.dist import all_gather_object, get_world_size
from eng.dl_utils import unwrap
from eng.registry import HOOKS
from eng.utils import DataBatch, override

from .errors import HookArgumentError
from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs
from .values import check_number

__all__ = ["SlowRankHook"]


class _Times(NamedTuple):
    """Milliseconds of one iteration of a process that are its own."""

    data: float
    compute: float


@HOOKS.register_module()
class SlowRankHook(Hook):
    """Reports which of several processes is slow, and whether its data or its computation is.

    Processes wait for the slowest in the backward pass, so that the iterations of all take the same
    time. Compared is what is a process' own: the time that it waits for its data, and that of its
    forward pass. A single process is left alone.

    Args:
        interval: Iterations between two comparisons, in which processes exchange two numbers.
            Defaults to 100.
        ratio: How many times the median of the others a process must take to be reported. Defaults
            to 1.3.

    Raises:
        HookArgumentError: If ``interval`` is below 1, or ``ratio`` not above 1. It is a
            :class:`ValueError`.
    """

    priority = "LOWEST"

    def __init__(self, interval: int = 100, ratio: float = 1.3) -> None:
        check_number("SlowRankHook: interval", interval, least=1)
        if not isinstance(ratio, (int, float)) or not ratio > 1:
            raise HookArgumentError(f"SlowRankHook: ratio must be above 1, got {ratio!r}")
        self.interval = interval
        self.ratio = ratio
        self._handles: list[RemovableHandle] = []
        self._is_on_gpu = self._is_in_step = False
        self._begun = 0.0
        self._restart()

    def _restart(self) -> None:
        self._data = self._compute = 0.0
        self._count = 0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Begin to measure the data and the forward pass."""
        self.after_train(runner)
        if get_world_size() == 1:
            return
        model: nn.Module = unwrap(runner.model)
        self._is_on_gpu = any(each.is_cuda for each in model.parameters())
        self._handles = [
            model.register_forward_pre_hook(self._begin_forward),
            model.register_forward_hook(self._end_forward),
        ]
        batches: Any = getattr(runner.train_loop, "batches", None)  # a third-party loop has none
        if hasattr(batches, "watch"):
            batches.watch = self._time_data

    @override
    def before_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: DataBatch = None
    ) -> None:
        """Measure the forward passes of training alone."""
        self._is_in_step = True

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Compare the processes at the interval."""
        self._is_in_step = False
        self._count += 1
        if self._count >= self.interval and self._handles:
            self._report(runner)
            self._restart()

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Stop to measure."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._restart()

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self.after_train(runner)

    def _time_data(self, batches: Iterator[DataBatch]) -> Iterator[DataBatch]:
        """Measure how long each batch of an epoch takes, without the start of workers."""
        yield from islice(batches, 1)
        begun = time.perf_counter()
        for batch in batches:
            self._data += time.perf_counter() - begun
            yield batch
            begun = time.perf_counter()

    def _begin_forward(self, *_: Any) -> None:
        if self._is_in_step:
            self._begun = time.perf_counter()
            if self._is_on_gpu:  # where the forward pass is only queued
                self._events.append((_make_event(), _make_event()))
                self._events[-1][0].record()

    def _end_forward(self, *_: Any) -> None:
        if self._is_in_step and self._is_on_gpu:
            self._events[-1][1].record()
        elif self._is_in_step:
            self._compute += time.perf_counter() - self._begun

    def _report(self, runner: HookRunner) -> None:
        if self._events:
            self._events[-1][1].synchronize()  # once, instead of in each iteration
        seconds = sum(begun.elapsed_time(ended) for begun, ended in self._events) / 1000
        each = 1000 / self._count
        own = _Times(self._data * each, (self._compute + seconds) * each)
        times = [_Times(*numbers) for numbers in all_gather_object(tuple(own))]
        line = describe_slowest(times, self.ratio)
        if line is not None:
            runner.logger.warning(line)


def describe_slowest(times: list[_Times], ratio: float) -> str | None:
    """Describe the slowest process.

    Args:
        times: Milliseconds of an iteration, of each process.
        ratio: How many times the median of the others it must take.

    Returns:
        One line; None if it is not much slower than the others.
    """
    totals = [sum(each) for each in times]
    rank = totals.index(max(totals))
    others = [each for place, each in enumerate(times) if place != rank]
    if not others or totals[rank] <= ratio * median(map(sum, others)):
        return None
    usual_data = median(each.data for each in others)
    usual_compute = median(each.compute for each in others)
    slow = times[rank]
    is_data = slow.data - usual_data > slow.compute - usual_compute
    what, took, theirs = (
        ("it waits for its data", slow.data, usual_data)
        if is_data
        else ("its forward pass takes", slow.compute, usual_compute)
    )
    return (
        f"Rank {rank} is slow, and the others wait for it: {what} {took:.1f} ms an iteration, that "
        f"of the others {theirs:.1f} ms (median)."
    )


def _make_event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
