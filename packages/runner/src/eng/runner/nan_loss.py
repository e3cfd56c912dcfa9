"""Stop at a loss that is NaN, infinite or a spike, leave out its step, or go back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from eng.checkpoint import find_latest_checkpoint
from eng.dist import all_gather_object, all_reduce, broadcast_object_list, get_world_size
from eng.optim import OptimWrapper
from eng.utils import StateDict

from .bad_batches import write_batch
from .counts import check_count
from .errors import RunnerConfigError
from .known_settings import check_settings
from .progress import Progress
from .protocol import LoopRunner
from .spikes import SpikeDetector
from .train_loops import TrainLoop
from .types import Settings

__all__ = ["NanLossPolicy"]

_ACTIONS = ("warn", "stop", "skip", "rollback")
_MOST_SKIPPED = 20
_MOST_ROLLBACKS = 3


class _GoBack(Exception):
    """Training is to go back to the last checkpoint."""


class _Verdict(NamedTuple):
    """Whether losses of all processes are finite, and the running median that one is far above."""

    is_finite: bool
    median: float | None


class NanLossPolicy:
    """Handle losses that are NaN, infinite or, if asked for, spikes, in any process.

    Args:
        settings: ``'warn'``: once, when losses are read for the log. ``'stop'``: a
            :class:`FloatingPointError` in all processes. ``'skip'``: the loss is not
            backpropagated. ``'rollback'``: training resumes from the last whole checkpoint; a
            glitch of the machine is gone then, to the bit. Or a dict with ``action`` and
            ``max_times``: how many may be skipped in a row, by default 20, or how often training
            goes back, by default 3; ``then``, of ``'rollback'``: ``'stop'`` after that many, the
            default, or ``'skip'`` where going back has not helped; and ``spike``: that losses far
            above the running median are handled as well, see :class:`SpikeDetector`. All but
            ``'warn'`` without ``spike`` look at each loss, and so wait for the device once in each
            iteration.

    Raises:
        RunnerConfigError: If a setting is unknown or invalid.
    """

    def __init__(self, settings: Settings | str | None = None) -> None:
        cfg = settings if isinstance(settings, Mapping) else {"action": settings or "warn"}
        check_settings("nan_loss", cfg, ("action", "max_times", "then", "spike"))
        self.action = cfg.get("action", "warn")
        if self.action not in _ACTIONS:
            raise RunnerConfigError(f"nan_loss must be one of {_ACTIONS}, got {self.action!r}")
        goes_back = self.action == "rollback"
        default = _MOST_ROLLBACKS if goes_back else _MOST_SKIPPED
        most = check_count("max_times", cfg.get("max_times", default), of="nan_loss")
        self._most_rollbacks = most if goes_back else 0
        self._most_skipped = _MOST_SKIPPED if goes_back else most
        self._skips_then = _check_then(cfg.get("then", "stop"), self.action) == "skip"
        spike = cfg.get("spike")
        self._spikes = None if spike is None or spike is False else SpikeDetector(spike)
        self._runner: LoopRunner | None = None
        self._begin()

    def _begin(self) -> None:
        self._skipped = self._rollbacks = 0
        #: Iterations that training went back from, as the log counts them.
        self._gone_back: set[int] = set()
        self._written: set[int] = set()
        #: Iteration of the last loss, and how many losses it had.
        self._present = (-1, 0)

    # ------------------------------------------------------------------ state

    def take(self, point: Progress) -> StateDict | None:
        """Return the losses that later ones are compared with, None if spikes are not detected.

        Args:
            point: The point of training, which is the present one.
        """
        return None if self._spikes is None else {"losses": self._spikes.state_dict()}

    def restore(self, state: StateDict) -> None:
        """Compare with the losses before a checkpoint.

        Args:
            state: State from :meth:`take`.
        """
        if self._spikes is not None:
            self._spikes.load_state_dict(state["losses"])

    def restore_nothing(self) -> None:
        """Forget the losses so far, which a checkpoint without any is not of."""
        self.restore({"losses": {}})

    # ------------------------------------------------------------------ training

    def train(self, runner: LoopRunner, loop: TrainLoop) -> nn.Module:
        """Run the training loop, again from a checkpoint after each rollback.

        Args:
            runner: The runner.
            loop: Its training loop.

        Returns:
            The model.

        Raises:
            FloatingPointError: If a loss is NaN, infinite or a spike, and the limit of skips or
                rollbacks is reached.
        """
        self._runner = runner
        self._begin()
        if self.action != "warn" or self._spikes is not None:
            self._guard(runner)
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
            except FloatingPointError as error:
                # By the wrapper itself, in this process alone.
                if loop.iter not in self._written and _stops_by_itself(runner):
                    write_batch(runner, str(error), None, together=False)
                raise
            self._go_back(runner, loop, problem)

    def _guard(self, runner: LoopRunner) -> None:
        """Look at each loss of the optimizer wrappers."""
        for name, each in _list_wrappers(runner).items():
            each.loss_guard = partial(self._accept, name)
        if self.action in ("skip", "rollback") and _stops_by_itself(runner):
            runner.logger.warning(
                "stop_on_nan_loss=True of the optimizer wrapper takes precedence over "
                f"nan_loss={self.action!r} where a loss is NaN or infinite: leave it out."
            )

    def _accept(self, name: str, loss: Tensor) -> bool:
        """Whether a loss may be backpropagated. Called in all processes at once."""
        value = loss.detach()
        verdict = self._judge(name, value)
        if verdict.is_finite and verdict.median is None:
            self._skipped = 0
            return True
        return self._refuse(value, verdict.median)

    def _judge(self, name: str, loss: Tensor) -> _Verdict:
        """Judge the losses of all processes, by one transfer from the device."""
        is_finite = torch.isfinite(loss).all()
        if self._spikes is None:
            shared = is_finite.to(torch.int32)
            if get_world_size() > 1:
                all_reduce(shared, "min")
            return _Verdict(bool(shared), None)
        # The largest of all processes, so that all of them compare the same.
        total = loss.sum() if loss.dtype == torch.float64 else loss.sum().float()
        largest = torch.where(is_finite, total, -torch.inf)
        shared = torch.stack([(~is_finite).to(largest), largest])
        if get_world_size() > 1:
            all_reduce(shared, "max")
        bad, value = shared.tolist()
        return _Verdict(not bad, None if bad else self._spikes.judge(value, self._series(name)))

    def _series(self, name: str) -> str:
        """Name the losses of one optimizer that have the same place in their iteration."""
        assert self._runner is not None
        iteration, count = self._present
        now = self._runner.iter
        self._present = (now, count + 1 if now == iteration else 0)
        return f"{name}/{self._present[1]}"

    def _refuse(self, loss: Tensor, median: float | None) -> bool:
        assert self._runner is not None
        problem = self._describe(loss, median)
        if self._runner.iter not in self._written:
            self._written.add(self._runner.iter)
            write_batch(self._runner, problem, float(loss.sum()), together=True)
        if self.action == "warn":
            self._runner.logger.warning(f"{problem}.")
            return True
        if self.action == "stop":
            raise FloatingPointError(f"{problem}; the parameters have not been updated with it")
        if self.action == "rollback" and not self._skips_now():
            self._gone_back.add(self._runner.iter)
            raise _GoBack(problem)
        self._skipped += 1
        if self._skipped > self._most_skipped:
            raise FloatingPointError(
                f"{problem}; {self._most_skipped} iterations before it were skipped for the same "
                "reason"
            )
        self._runner.logger.warning(f"{problem}: its step is skipped.")
        return False

    def _describe(self, loss: Tensor, median: float | None) -> str:
        """Describe the losses of all processes that are refused."""
        assert self._runner is not None
        limit = (
            torch.inf if median is None or self._spikes is None else self._spikes.factor * median
        )
        losses = all_gather_object(float(loss.sum()))
        bad = [rank for rank, x in enumerate(losses) if not x <= limit or abs(x) == torch.inf]
        # One that was rounded up to be above the limit may not be above it here.
        ranks = bad or [losses.index(max(losses))]
        where = ", ".join(f"{losses[rank]:.6g} on rank {rank}" for rank in ranks)
        spike = "" if median is None else f", a spike over the running median {median:.6g},"
        return f"the loss is {where}{spike} at iteration {self._runner.iter + 1}"

    def _skips_now(self) -> bool:
        """Whether going back is of no use: it was done for this iteration, or is impossible."""
        assert self._runner is not None
        if not self._skips_then:
            return False
        if self._runner.iter in self._gone_back or self._rollbacks >= self._most_rollbacks:
            return True
        boxes = [find_latest_checkpoint(self._runner.work_dir) is None]
        broadcast_object_list(boxes)
        return boxes[0]

    def _go_back(self, runner: LoopRunner, loop: TrainLoop, problem: str) -> None:
        """Resume from the last checkpoint within the process."""
        self._rollbacks += 1
        if self._rollbacks > self._most_rollbacks:
            raise FloatingPointError(
                f"{problem}; training was rolled back {self._most_rollbacks} times before. Check "
                "the data and the learning rate, or skip it: nan_loss=dict(action='rollback', "
                "then='skip')"
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


def _check_then(then: object, action: str) -> object:
    if then not in ("stop", "skip"):
        raise RunnerConfigError(f"then in nan_loss must be 'stop' or 'skip', got {then!r}")
    if then == "skip" and action != "rollback":
        raise RunnerConfigError(
            f"then='skip' in nan_loss is for action='rollback', got action={action!r}"
        )
    return then


def _list_wrappers(runner: LoopRunner) -> Mapping[str, OptimWrapper]:
    """The optimizer wrappers of a run by name, a single one by ``''``."""
    wrapper = runner.optim_wrapper
    wrappers: Mapping[str, OptimWrapper] = getattr(wrapper, "optim_wrappers", {"": wrapper})
    return wrappers


def _stops_by_itself(runner: LoopRunner) -> bool:
    wrappers = _list_wrappers(runner).values()
    return any(getattr(each, "stop_on_nan_loss", False) for each in wrappers)
