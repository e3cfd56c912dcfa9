"""Stop at a loss that is NaN or infinite, leave out its step, or go back to a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from eng.checkpoint import find_latest_checkpoint
from eng.dist import all_gather_object, all_reduce, get_world_size

from .counts import check_count
from .errors import RunnerConfigError
from .known_settings import check_settings
from .protocol import LoopRunner
from .train_loops import TrainLoop
from .types import Settings

__all__ = ["NanLossPolicy"]

_ACTIONS = ("warn", "stop", "skip", "rollback")
_MOST_SKIPPED = 20
_MOST_ROLLBACKS = 3


class _GoBack(Exception):
    """Training is to go back to the last checkpoint."""


class NanLossPolicy:
    """Handle losses that are NaN or infinite, in any process.

    Args:
        settings: ``'warn'``: once, when losses are read for the log. ``'stop'``: a
            :class:`FloatingPointError` in all processes. ``'skip'``: the loss is not
            backpropagated. ``'rollback'``: training resumes from the last whole checkpoint; a
            glitch of the machine is gone then, to the bit. Or a dict with ``action`` and
            ``max_times``: how many may be skipped in a row, by default 20, or how often training
            goes back, by default 3. All but ``'warn'`` look at each loss, and so wait for the
            device in each iteration.

    Raises:
        RunnerConfigError: If a setting is unknown or invalid.
    """

    def __init__(self, settings: Settings | str | None = None) -> None:
        cfg = settings if isinstance(settings, Mapping) else {"action": settings or "warn"}
        check_settings("nan_loss", cfg, ("action", "max_times"))
        self.action = cfg.get("action", "warn")
        if self.action not in _ACTIONS:
            raise RunnerConfigError(f"nan_loss must be one of {_ACTIONS}, got {self.action!r}")
        default = _MOST_ROLLBACKS if self.action == "rollback" else _MOST_SKIPPED
        self._most = check_count("max_times", cfg.get("max_times", default), of="nan_loss")
        self._times = 0
        self._runner: LoopRunner | None = None

    def train(self, runner: LoopRunner, loop: TrainLoop) -> nn.Module:
        """Run the training loop, again from a checkpoint after each rollback.

        Args:
            runner: The runner.
            loop: Its training loop.

        Returns:
            The model.

        Raises:
            FloatingPointError: If a loss is NaN or infinite, and the limit of skips or rollbacks
                is reached.
        """
        self._runner, self._times = runner, 0
        if self.action != "warn":
            wrapper = runner.optim_wrapper
            for each in getattr(wrapper, "optim_wrappers", {"": wrapper}).values():
                each.loss_guard = self._accept
        while True:
            if not hasattr(runner.optim_wrapper, "optim_wrappers"):  # not one for each of several
                runner.optim_wrapper.initialize_count_status(
                    runner.model, loop.iter, loop.max_iters
                )
            try:
                model: nn.Module = loop.run()
                return model
            except _GoBack as reason:
                problem = str(reason)
            self._go_back(runner, loop, problem)

    def _accept(self, loss: Tensor) -> bool:
        """Whether a loss may be backpropagated. Called in all processes at once."""
        is_finite = torch.isfinite(loss.detach()).all()
        if get_world_size() > 1:
            shared = is_finite.to(torch.int32)
            all_reduce(shared, "min")
            is_good = bool(shared)
        else:
            is_good = bool(is_finite)
        if is_good:
            self._times = 0 if self.action == "skip" else self._times
            return True
        return self._refuse(float(loss.detach().sum()), bool(is_finite))

    def _refuse(self, loss: float, is_finite: bool) -> bool:
        assert self._runner is not None
        losses = all_gather_object(None if is_finite else loss)
        where = ", ".join(f"{x} on rank {r}" for r, x in enumerate(losses) if x is not None)
        problem = f"the loss is {where} at iteration {self._runner.iter + 1}"
        if self.action == "rollback":
            raise _GoBack(problem)
        self._times += 1
        if self.action == "stop":
            raise FloatingPointError(f"{problem}; the parameters have not been updated with it")
        if self._times > self._most:
            raise FloatingPointError(
                f"{problem}; {self._most} iterations before it were skipped for the same reason"
            )
        self._runner.logger.warning(f"{problem}: its step is skipped.")
        return False

    def _go_back(self, runner: LoopRunner, loop: TrainLoop, problem: str) -> None:
        """Resume from the last checkpoint within the process."""
        self._times += 1
        if self._times > self._most:
            raise FloatingPointError(
                f"{problem}; training was rolled back {self._most} times before. Check the data "
                "and the learning rate, or use nan_loss='skip'"
            )
        batches = getattr(loop, "batches", None)  # a third-party loop may not have it
        if batches is not None:
            batches.abandon()
        runner.optim_wrapper.zero_grad()
        runner.call_hook("after_interrupted_train")  # which waits for pending writes
        path = find_latest_checkpoint(runner.work_dir)
        if path is None:
            raise FloatingPointError(f"{problem}; no checkpoint to resume from yet")
        runner.logger.warning(f"{problem}: training is rolled back to {path}.")
        runner.resume(path)
