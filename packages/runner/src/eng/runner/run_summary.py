"""Summarize a training: its length, best scores, and where its results are."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eng.checkpoint import find_latest_checkpoint
from eng.hooks import BestCheckpoints, CheckpointHook, run_id_of
from eng.utils import override

from .bests import Bests, rules_of
from .protocol import LoopRunner
from .validations import Validation, Validations

__all__ = ["BestScore", "RunSummary", "Stopwatch", "summarize"]


@dataclass(frozen=True)
class BestScore:
    """The best value of a metric.

    Attributes:
        score: The value.
        epoch: Epochs done by then.
        iter: Iterations done by then.
        path: The checkpoint with it, None if ``save_best`` of the CheckpointHook did not save it.
    """

    score: float
    epoch: int
    iter: int
    path: str | None = None


@dataclass(frozen=True)
class RunSummary:
    """Results of a training. As text, a few lines.

    Attributes:
        epochs: Epochs done, those before a resume included.
        iters: Iterations done, likewise.
        seconds: Duration of the training in this process.
        validations: The validations of the run, at most the latest 100.
        best: The best value of each metric that is known to be better when greater or less.
        history: Values that were recorded in each iteration of training, such as ``loss`` and
            ``lr``, the oldest first. After a resume those of the iterations since then.
        last_checkpoint: The newest checkpoint, None if nothing was saved.
        work_dir: The work directory.
        log_file: The log, None in a process that writes none.
    """

    epochs: int
    iters: int
    seconds: float
    validations: Sequence[Validation]
    best: Mapping[str, BestScore]
    history: Mapping[str, NDArray[np.float64]]
    last_checkpoint: str | None
    work_dir: str
    log_file: str | None

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics of the last validation by name, empty without one."""
        return self.validations[-1].metrics if self.validations else {}

    @override
    def __str__(self) -> str:
        duration = datetime.timedelta(seconds=round(self.seconds))
        lines = [f"{self.epochs} epochs, {self.iters} iterations, trained for {duration}"]
        for name, value in self.metrics.items():
            best = self.best.get(name)
            at = "" if best is None else f" (best {best.score:.4g} after epoch {best.epoch})"
            lines.append(f"{name}: {value:.4g}{at}")
        paths = dict.fromkeys(best.path for best in self.best.values() if best.path)
        lines += [f"best checkpoint: {path}" for path in paths]
        if self.last_checkpoint is not None:
            lines.append(f"last checkpoint: {self.last_checkpoint}")
        return "\n".join([*lines, f"log: {self.log_file or self.work_dir}"])


class Stopwatch:
    """Adds up how long blocks take.

    Attributes:
        seconds: Duration of all of them.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun = 0.0

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.monotonic() - self._begun


def summarize(runner: LoopRunner, seconds: float) -> RunSummary:
    """Summarize the training of a runner. To be called in all processes.

    Args:
        runner: The runner.
        seconds: Duration of its training.

    Returns:
        The summary.
    """
    scalars = runner.message_hub.log_scalars
    history = {
        key.removeprefix("train/"): scalar.data[0]
        for key, scalar in scalars.items()
        if key.startswith("train/")
    }
    validations = Validations(runner).read()
    progress = runner.progress
    return RunSummary(
        epochs=progress.epoch,
        iters=progress.iter,
        seconds=seconds,
        validations=validations,
        best=_find_best(runner, validations),
        history=history,
        last_checkpoint=find_latest_checkpoint(runner.work_dir),
        work_dir=runner.work_dir,
        log_file=getattr(runner.logger, "log_file", None),
    )


def _find_best(runner: LoopRunner, validations: Sequence[Validation]) -> dict[str, BestScore]:
    bests: Bests[Validation] = Bests(rules_of(runner.hooks))
    found: dict[str, BestScore] = {}
    for validation in validations:
        for name, best in bests.add(validation.metrics, validation).items():
            found[name] = BestScore(best.value, best.when.epoch, best.when.iter)
    saved = BestCheckpoints.read(runner.work_dir, run_id_of(runner.message_hub))
    folder = _find_folder(runner)
    for record in saved.records if saved is not None else []:
        if not record.is_best:  # each of the others is better than the one before
            continue
        path = f"{folder}/{record.file}"
        found[record.metric] = BestScore(record.score, record.epoch, record.iter, path)
    return found


def _find_folder(runner: LoopRunner) -> str:
    """Return the folder of the best checkpoints."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook) and hook.save_best]
    return hooks[0].folder_in(runner.work_dir).path if hooks else runner.work_dir
