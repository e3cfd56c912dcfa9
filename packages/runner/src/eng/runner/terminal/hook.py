"""Follow a run on the terminal: its head, the progress bar and the tables of metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from time import perf_counter
from typing import Protocol

from eng.dataset import length_of
from eng.hooks import Hook, scalar_of
from eng.utils import DataBatch, override

from ..bests import Bests, rules_of
from ..protocol import LoopRunner
from ..train_loops import TrainLoop
from .head import format_head
from .lines import color, format_number
from .table import format_table
from .view import View

__all__ = ["TerminalHook", "add_terminal_hook"]

#: Seconds between two times that the progress bar is drawn.
_INTERVAL = 0.1


class ViewedRunner(LoopRunner, Protocol):
    """A runner that has a view where its output is displayed."""

    terminal_view: View | None

    def register_hook(self, hook: Hook) -> None:
        """Add a hook."""


def add_terminal_hook(runner: ViewedRunner) -> None:
    """Add the hook for the terminal to a runner, if it has one.

    Args:
        runner: The runner, with all other hooks.
    """
    if runner.terminal_view is not None:
        runner.register_hook(TerminalHook(runner.terminal_view))


class TerminalHook(Hook):
    """Displays the progress of a run. The runner adds it where a terminal or notebook is.

    An iteration costs a look at the clock. The progress bar shows numbers of the latest line of the
    log, so that it never waits for the accelerator.

    Args:
        view: The view of the run.
    """

    priority = "LOW"  # after LoggerHook, before CheckpointHook

    def __init__(self, view: View) -> None:
        self._view = view
        self._due = 0.0
        self._has_head = False
        self._bests: Bests[str] | None = None
        self._is_training = False

    @override
    def before_run(self, runner: LoopRunner) -> None:
        """Print the head, once."""
        self._is_training = False
        if not self._has_head:
            self._has_head = True
            self._print_head(runner)

    @override
    def before_train(self, runner: LoopRunner) -> None:
        """Open the progress bar."""
        self._bests, self._is_training = None, True
        self._view.scalars = {}
        self._start(_describe_epoch(runner, 1) or "train", runner.iter, runner.max_iters)

    @override
    def after_train_iter(
        self,
        runner: LoopRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: object = None,
    ) -> None:
        """Draw the progress bar if the last time was a while ago."""
        if perf_counter() >= self._due:
            title, scalars = _describe_epoch(runner, 1) or "train", self._view.scalars
            self._draw(runner.iter + 1, title, _format_scalars(scalars))

    @override
    def after_train(self, runner: LoopRunner) -> None:
        """Close the progress bar."""
        self._is_training = False
        self._view.close()

    @override
    def before_val(self, runner: LoopRunner) -> None:
        """Show the progress of the validation."""
        self._start(self._title_validation(runner), 0, _count_batches(runner, "val"))

    @override
    def after_val_iter(
        self,
        runner: LoopRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: object = None,
    ) -> None:
        """Draw the progress bar if the last time was a while ago."""
        if perf_counter() >= self._due:
            self._draw(batch_idx + 1, self._title_validation(runner))

    @override
    def after_val_epoch(
        self, runner: LoopRunner, metrics: Mapping[str, object] | None = None
    ) -> None:
        """Print the metrics with the best so far."""
        is_training = self._is_training
        when = _describe_point(runner) if is_training else "now"
        bests = {}
        if is_training:
            values = {name: scalar_of(value) for name, value in (metrics or {}).items()}
            found = {name: value for name, value in values.items() if value is not None}
            bests = self._find_bests(runner).add(found, when)
        self._print_title(f"validation after {when}" if is_training else "validation")
        self._view.print(format_table(metrics or {}, bests, when, self._view.has_color))

    @override
    def after_val(self, runner: LoopRunner) -> None:
        """Return to the progress of training."""
        self._end()

    def after_interrupted_val(self, runner: LoopRunner) -> None:
        """Return to the progress of training."""
        self._end()

    def after_interrupted_train(self, runner: LoopRunner) -> None:
        """Close the progress bar."""
        self._view.close()

    @override
    def before_test(self, runner: LoopRunner) -> None:
        """Show the progress of the test."""
        self._start("test", 0, _count_batches(runner, "test"))

    @override
    def after_test_iter(
        self,
        runner: LoopRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: object = None,
    ) -> None:
        """Draw the progress bar if the last time was a while ago."""
        if perf_counter() >= self._due:
            self._draw(batch_idx + 1, "test")

    @override
    def after_test_epoch(
        self, runner: LoopRunner, metrics: Mapping[str, object] | None = None
    ) -> None:
        """Print the metrics."""
        self._print_title("test")
        self._view.print(format_table(metrics or {}, {}, "", self._view.has_color))

    @override
    def after_test(self, runner: LoopRunner) -> None:
        """Close the progress bar."""
        self._end()

    def _print_head(self, runner: LoopRunner) -> None:
        try:
            head = format_head(runner, self._view.width, self._view.has_color)
        except Exception as error:  # of any dataset or driver: the run does not depend on it
            runner.logger.warning(f"The head of the run cannot be shown: {error!r}")
            return
        self._view.print(head)

    def _start(self, title: str, done: int, total: int | None) -> None:
        if self._view.bar is not None:
            self._view.bar.start(title, done, total)
            self._due = perf_counter() + _INTERVAL

    def _end(self) -> None:
        if self._view.bar is not None:
            self._view.bar.end()

    def _draw(self, done: int, title: str, texts: str = "") -> None:
        if self._view.bar is not None:
            self._view.bar.move(done, title, texts)
        self._due = perf_counter() + _INTERVAL

    def _title_validation(self, runner: LoopRunner) -> str:
        return f"val {_describe_epoch(runner)}".strip() if self._is_training else "val"

    def _print_title(self, text: str) -> None:
        moment = color(time.strftime("%H:%M:%S"), "2", self._view.has_color)
        self._view.print(f"{moment} {text}")

    def _find_bests(self, runner: LoopRunner) -> Bests[str]:
        """Return the best metrics so far, of a resumed run also those before."""
        if self._bests is None:
            self._bests = Bests(rules_of(runner.hooks))
            loop = runner.train_loop
            for each in loop.validations.read() if isinstance(loop, TrainLoop) else []:
                if each.iter < runner.iter:
                    self._bests.add(each.metrics, _name_point(runner, each.epoch, each.iter))
        return self._bests


def _describe_epoch(runner: LoopRunner, started: int = 0) -> str:
    """Return the epoch of training, such as ``'epoch 3/15'``; nothing by iterations."""
    if not runner.progress.by_epoch or not runner.max_epochs:
        return ""
    return f"epoch {min(runner.epoch + started, runner.max_epochs)}/{runner.max_epochs}"


def _describe_point(runner: LoopRunner) -> str:
    return _name_point(runner, runner.epoch, runner.iter)


def _name_point(runner: LoopRunner, epoch: int, iteration: int) -> str:
    return f"epoch {epoch}" if runner.progress.by_epoch else f"iteration {iteration}"


def _count_batches(runner: LoopRunner, mode: str) -> int | None:
    return length_of(getattr(getattr(runner, f"{mode}_loop"), "dataloader", None))


def _format_scalars(scalars: Mapping[str, object]) -> str:
    """Format the loss, the learning rate and the memory behind the progress bar."""
    losses = [name for name in scalars if "loss" in name]
    name = "loss" if "loss" in losses else next(iter(losses), None)
    parts = []
    if name is not None and isinstance(value := scalars[name], (int, float)):
        parts.append(f"{name} {format_number(value)}")
    rate = scalars.get("lr")
    if isinstance(rate, float):
        parts.append(f"lr {rate:.1e}")
    memory = scalars.get("memory")
    if isinstance(memory, (int, float)):
        parts.append(f"{memory / 1024:.1f}GB")
    return " ".join(parts)
