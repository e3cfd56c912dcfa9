"""Record how much data training takes in a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from eng.dist import get_data_world_size, get_world_size
from eng.registry import HOOKS
from eng.utils import DataBatch, override

from .errors import HookArgumentError, HookTypeError
from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs
from .values import check_number

__all__ = ["ThroughputHook"]


@HOOKS.register_module()
class ThroughputHook(Hook):
    """Records ``samples_per_s``, and tokens and model FLOPs utilization on request.

    The figures are those of all processes, measured over ``interval`` iterations with validation
    and saving left out. They are in the lines of the log and the curves.

    Args:
        interval: Iterations over which it is measured. Defaults to 10.
        samples: Function of a batch that returns its number of samples in this process. Defaults to
            None: the batch size of the data loader.
        tokens: Function of a batch that returns its number of tokens, or the key of a tensor in the
            batch whose elements are counted, such as ``'input_ids'``; recorded as
            ``tokens_per_s``. Defaults to None: they are not counted.
        flops: Floating point operations of a training step for one sample, for example three times
            those of the forward pass that :func:`eng.analysis.get_model_complexity_info` returns.
            Defaults to None.
        peak: Floating point operations per second that a device can do. With ``flops`` the
            share of it that is used is recorded as ``mfu`` (model FLOPs utilization, "PaLM:
            Scaling Language Modeling with Pathways", Chowdhery et al., 2022). Defaults to None.

    Raises:
        HookArgumentError: If ``interval`` is below 1, or only one of ``flops`` and ``peak`` is
            given. It is a :class:`ValueError`.
        HookTypeError: If ``tokens`` is neither a function nor a key. It is a :class:`TypeError`.
    """

    priority = "ABOVE_NORMAL"

    def __init__(
        self,
        interval: int = 10,
        samples: Callable[[DataBatch], int] | None = None,
        tokens: Callable[[DataBatch], int] | str | None = None,
        flops: float | None = None,
        peak: float | None = None,
    ) -> None:
        check_number("ThroughputHook: interval", interval, least=1)
        if (flops is None) != (peak is None):
            raise HookArgumentError(
                "ThroughputHook: model FLOPs utilization needs both flops, of a step for one "
                "sample, and peak, of a device per second"
            )
        if not (tokens is None or isinstance(tokens, str) or callable(tokens)):
            raise HookTypeError(
                "ThroughputHook: tokens must be a function of a batch or a key of it, not "
                f"{type(tokens).__name__}"
            )
        self.interval = interval
        self.samples = samples
        self.tokens = tokens
        self.flops, self.peak = flops, peak
        self._start(0.0)

    def _start(self, now: float) -> None:
        self._begun, self._paused = now, 0.0
        self._samples = self._tokens = self._iterations = 0

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Start to measure."""
        self._start(time.perf_counter())

    @override
    def before_val(self, runner: HookRunner) -> None:
        """Leave out validation."""
        self._stopped = time.perf_counter()

    @override
    def after_val(self, runner: HookRunner) -> None:
        """Continue to measure."""
        self._paused += time.perf_counter() - self._stopped

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Count the batch, and record the figures at the interval."""
        self._samples += self._count_samples(runner, data_batch)
        if self.tokens is not None:
            self._tokens += self._count_tokens(data_batch)
        self._iterations += 1
        if self._iterations < self.interval:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # steps that are only queued would count as done
        now = time.perf_counter()
        seconds = max(now - self._begun - self._paused, 1e-9)
        scale = get_data_world_size() / seconds
        hub = runner.message_hub
        hub.update_scalar("train/samples_per_s", self._samples * scale)
        if self.tokens is not None:
            hub.update_scalar("train/tokens_per_s", self._tokens * scale)
        if self.flops is not None and self.peak is not None:
            # Of one device, where several may share the work on a sample.
            flops = self._samples * scale * self.flops / get_world_size()
            hub.update_scalar("train/mfu", flops / self.peak)
        self._start(now)

    def _count_samples(self, runner: HookRunner, data_batch: DataBatch) -> int:
        if self.samples is not None:
            return self.samples(data_batch)
        loader = runner.train_dataloader
        size = getattr(getattr(loader, "batch_sampler", None), "batch_size", None)
        return int(size or getattr(loader, "batch_size", None) or 1)

    def _count_tokens(self, data_batch: DataBatch) -> int:
        if callable(self.tokens):
            return self.tokens(data_batch)
        value = data_batch.get(self.tokens) if isinstance(data_batch, Mapping) else None
        if not isinstance(value, Tensor):
            raise HookArgumentError(
                f"ThroughputHook: tokens={self.tokens!r} must be the key of a tensor in a batch "
                f"that is a dict; the batch is a {type(data_batch).__name__}"
                + (f" with {sorted(data_batch)}" if isinstance(data_batch, Mapping) else "")
            )
        return value.numel()
