"""Profile the first iterations of training."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch.profiler import ProfilerActivity, profile, tensorboard_trace_handler

from eng.dist import master_only
from eng.registry import HOOKS, PartOrConfig
from eng.utils import override

from .errors import HookArgumentError, HookTypeError
from .hook import DataBatch, Hook
from .protocol import HookRunner
from .types import StepOutputs
from .values import check_number

__all__ = ["ProfilerHook"]

#: A function of a recording that is ready.
TraceHandler: TypeAlias = Callable[[profile], object]


@HOOKS.register_module()
class ProfilerHook(Hook):
    """Profiles the first epoch or iterations of training with :class:`torch.profiler.profile`.

    A run that only validates or tests is profiled until its end.

    Args:
        by_epoch: Whether the first epoch is profiled, and not a number of iterations. Defaults to
            True.
        profile_times: Number of iterations, or 1 by epoch. Defaults to 1.
        activity_with_cpu: Whether activities of the CPU are recorded. Defaults to True.
        activity_with_cuda: Whether those of GPUs are. Defaults to False.
        schedule: Arguments of :func:`torch.profiler.schedule`. Defaults to None, all iterations.
        on_trace_ready: Handler of a recording: a function of the profiler;
            ``dict(type='log_trace')``, with ``sort_by``, ``row_limit`` and other arguments of
            ``key_averages().table``, logs a table; ``dict(type='tb_trace', dir_name=...)`` writes a
            file for TensorBoard. Defaults to None, nothing.
        record_shapes: Whether shapes of inputs are recorded. Defaults to False.
        profile_memory: Whether memory is. Defaults to False.
        with_stack: Whether lines of code are. Defaults to False.
        with_flops: Whether operations are counted. Defaults to False.
        json_trace_path: Where a trace for Chrome is written at the end. Defaults to None, nowhere.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If ``profile_times`` is below 1, or above 1 by epoch, or ``on_trace_ready`` is
            unknown. Each is an :class:`AssertionError` as well.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        *,
        by_epoch: bool = True,
        profile_times: int = 1,
        activity_with_cpu: bool = True,
        activity_with_cuda: bool = False,
        schedule: Mapping[str, Any] | None = None,
        on_trace_ready: PartOrConfig[TraceHandler] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        json_trace_path: str | None = None,
    ) -> None:
        _check_flags(
            by_epoch=by_epoch,
            activity_with_cpu=activity_with_cpu,
            activity_with_cuda=activity_with_cuda,
            record_shapes=record_shapes,
            profile_memory=profile_memory,
            with_stack=with_stack,
            with_flops=with_flops,
        )
        _check_length(by_epoch, profile_times)
        _check_schedule(schedule)
        _check_trace_handler(on_trace_ready)
        self.by_epoch = by_epoch
        self.profile_times = profile_times
        activities = {
            ProfilerActivity.CPU: activity_with_cpu,
            ProfilerActivity.CUDA: activity_with_cuda,
        }
        self.activities = [activity for activity, is_on in activities.items() if is_on]
        self.schedule = None if schedule is None else torch.profiler.schedule(**schedule)
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.with_flops = with_flops
        self.json_trace_path = json_trace_path
        self.profiler: profile | None = None
        self._steps = 0

    @override
    @master_only
    def before_run(self, runner: HookRunner) -> None:
        """Start to record.

        Raises:
            ValueError: If more is to be profiled than the run has.
        """
        length = runner.max_epochs if self.by_epoch else runner.max_iters
        if length is not None and length < self.profile_times:
            unit = "epochs" if self.by_epoch else "iterations"
            raise HookArgumentError(
                f"ProfilerHook: profile_times is {self.profile_times}, the run has {length} {unit}"
            )
        self._stop(runner)
        self._steps = 0
        self.profiler = profile(
            activities=self.activities,
            schedule=self.schedule,
            on_trace_ready=self._build_trace_handler(runner),
            record_shapes=self.record_shapes,
            profile_memory=self.profile_memory,
            with_stack=self.with_stack,
            with_flops=self.with_flops,
        )
        self.profiler.start()
        runner.logger.info("Profiling has started: it takes time and memory.")

    @override
    @master_only
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Count an iteration, and stop after the last one to be profiled."""
        if self.profiler is None:
            return
        self.profiler.step()
        self._steps += 1
        if not self.by_epoch and self._steps >= self.profile_times:
            self._stop(runner)

    @override
    @master_only
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Stop after the first epoch."""
        if self.by_epoch:
            self._stop(runner)

    @override
    @master_only
    def after_run(self, runner: HookRunner) -> None:
        """Stop if less was trained than was to be profiled."""
        self._stop(runner)

    @master_only
    def after_interrupted_train(self, runner: HookRunner) -> None:
        """Stop after an interrupted training."""
        self._stop(runner)

    def _stop(self, runner: HookRunner) -> None:
        if self.profiler is None:
            return
        profiler, self.profiler = self.profiler, None
        profiler.stop()
        runner.logger.info("Profiling has ended.")
        if self.json_trace_path is not None:
            profiler.export_chrome_trace(self.json_trace_path)

    def _build_trace_handler(self, runner: HookRunner) -> TraceHandler | None:
        given = self.on_trace_ready
        if given is None or not isinstance(given, Mapping):
            return given
        settings = {key: value for key, value in given.items() if key != "_scope_"}
        if settings.pop("type") == "log_trace":

            def log_table(profiler: profile) -> None:
                runner.logger.info(f"\n{profiler.key_averages().table(**settings)}")

            return log_table
        folder = settings.pop("dir_name", "tf_tracing_logs")
        return tensorboard_trace_handler(os.path.join(runner.log_dir, folder), **settings)  # noqa: PTH118


def _check_flags(**flags: object) -> None:
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise HookTypeError(f"ProfilerHook: {name} must be True or False, got {flag!r}")


def _check_length(by_epoch: bool, profile_times: int) -> None:
    check_number("ProfilerHook: profile_times", profile_times, least=1)
    if by_epoch and profile_times > 1:
        raise HookArgumentError(
            f"ProfilerHook: profile_times must be 1 by epoch, got {profile_times}: a longer "
            "recording does not fit into memory; set by_epoch=False to count iterations"
        )


def _check_schedule(schedule: object) -> None:
    if schedule is not None and not isinstance(schedule, Mapping):
        raise HookTypeError(
            "ProfilerHook: schedule must be a dict of the arguments of torch.profiler.schedule, "
            f"got {schedule!r}"
        )


def _check_trace_handler(given: object) -> None:
    if given is None or callable(given):
        return
    if not isinstance(given, Mapping) or given.get("type") not in ("log_trace", "tb_trace"):
        raise HookArgumentError(
            "ProfilerHook: on_trace_ready must be a function, dict(type='log_trace') or "
            f"dict(type='tb_trace'), got {given!r}"
        )
