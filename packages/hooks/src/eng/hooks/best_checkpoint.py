"""Record which checkpoints were the best, in a small file beside ``last_checkpoint``."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields

from eng.checkpoint import checkpoint_exists
from eng.dist import broadcast_object_list, is_main_process
from eng.fileio import get_file_backend
from eng.logging import print_log
from eng.utils import StateDict

from .best_rule import RULE_MAP
from .record import read_record

__all__ = ["BestCheckpoint", "BestCheckpoints", "find_best_checkpoint", "log_best"]

#: Name of the file in a work directory.
BEST_CHECKPOINT = "best_checkpoint.json"
#: Hooks that save in the background change the file in threads of their own.
_writing = threading.Lock()


@dataclass(frozen=True)
class BestCheckpoint:
    """A checkpoint that was the best of its time, or one of the best that are kept.

    Attributes:
        metric: Name of the metric.
        score: Its value.
        file: Name of the checkpoint in the folder of checkpoints.
        epoch: Epochs done by then.
        iter: Iterations done by then.
        is_best: Whether it was better than all before it, not only one of the best.
    """

    metric: str
    score: float
    file: str
    epoch: int
    iter: int
    is_best: bool = True


def log_best(best: BestCheckpoint, place: str, count: int, logger: logging.Logger) -> None:
    """Log that a checkpoint is kept as the best, or one of the best.

    Args:
        best: The checkpoint.
        place: Where in training it was made, such as ``'epoch 3'``.
        count: How many are kept.
        logger: The logger of the run.
    """
    kind = "The best checkpoint" if best.is_best else f"One of the {count} best"
    print_log(
        f"{kind} with {best.score:0.4f} {best.metric} at {place} is {best.file}.",
        logger=logger,
        level=logging.INFO,
    )


class BestCheckpoints:
    """All that were the best for a while or one of them, in the order of training.

    From it, a run that is resumed from an earlier iteration knows the best checkpoint of that time.

    Args:
        run: Identifier of the run that they are of; it stays the same when the run is resumed.
        records: The checkpoints. Defaults to none.
    """

    def __init__(self, run: str, records: Iterable[BestCheckpoint] = ()) -> None:
        self.run = run
        self.records = list(records)

    @classmethod
    def read(cls, work_dir: str, run: str) -> BestCheckpoints | None:
        """Read the record of a run. To be called in all processes.

        Args:
            work_dir: The work directory, which the first process reads.
            run: Identifier of the run.

        Returns:
            The record; None if it is missing or of another run.
        """
        boxes = [_read(work_dir) if is_main_process() else None]
        broadcast_object_list(boxes)
        (found,) = boxes
        return found if found is not None and found.run == run else None

    def write(self, work_dir: str, metrics: Collection[str]) -> None:
        """Write the record, whole or not at all, keeping other metrics of the same run.

        Args:
            work_dir: The directory.
            metrics: Names of the metrics that this record is of. Those of other hooks are kept.
        """
        with _writing:
            self._write(work_dir, metrics)

    def _write(self, work_dir: str, metrics: Collection[str]) -> None:
        saved = _read(work_dir)
        others = saved.records if saved is not None and saved.run == self.run else []
        records = [*(each for each in others if each.metric not in metrics), *self.records]
        content = {"run": self.run, "best": [asdict(record) for record in records]}
        backend = get_file_backend(work_dir)
        text = json.dumps(content, indent=2)
        backend.put_text(f"{text}\n", backend.join_path(work_dir, BEST_CHECKPOINT))

    def up_to(self, iteration: int) -> BestCheckpoints:
        """The record as it was after an iteration.

        Args:
            iteration: Iterations done.

        Returns:
            Another record, without what came later.
        """
        kept = [record for record in self.records if record.iter <= iteration]
        return BestCheckpoints(self.run, kept)

    def best(self, metric: str) -> BestCheckpoint | None:
        """The best checkpoint by a metric: the last that was better than all before it.

        Args:
            metric: Its name.

        Returns:
            The checkpoint, None without one.
        """
        found = (each for each in reversed(self.records) if each.metric == metric and each.is_best)
        return next(found, None)

    def top(self, metric: str, count: int, rule: str) -> list[BestCheckpoint]:
        """The best checkpoints by a metric.

        Args:
            metric: Its name.
            count: How many at most.
            rule: ``'greater'`` or ``'less'``, which scores are better.

        Returns:
            The checkpoints, the best first; of equal ones the earlier first.
        """
        sign = -1 if rule == "greater" else 1
        own = {each.file: each for each in self.records if each.metric == metric}.values()
        return sorted(own, key=lambda each: (sign * each.score, each.iter))[:count]

    def is_among(self, metric: str, score: float, iteration: int, count: int, rule: str) -> bool:
        """Whether a score that is not the best is one of the best that are kept.

        Args:
            metric: Name of the metric.
            score: The score.
            iteration: Iterations done.
            count: How many are kept.
            rule: ``'greater'`` or ``'less'``, which scores are better.
        """
        kept = self.top(metric, count, rule)
        # The second: of the same validation, after a resume.
        if count == 1 or any(each.iter == iteration for each in kept):
            return False
        return len(kept) < count or RULE_MAP[rule](score, kept[-1].score)

    def forget(self, file: str) -> list[str]:
        """Forget a file that could not be written.

        Args:
            file: Its name.

        Returns:
            The metrics by which it was one of the best.
        """
        metrics = [each.metric for each in self.records if each.file == file]
        self.records = [each for each in self.records if each.file != file]
        return metrics

    def superseded(self, metric: str, count: int = 1, rule: str | None = None) -> list[str]:
        """Files that were among the best by a metric once and are not any more: they can go.

        Args:
            metric: Its name.
            count: How many are kept. Defaults to 1.
            rule: Which scores are better, for more than one. Defaults to None.

        Returns:
            Names of files.
        """
        best = self.best(metric)
        kept = {best.file} if best is not None else set()
        if rule is not None:
            kept |= {each.file for each in self.top(metric, count, rule)}
        files = [each.file for each in self.records if each.metric == metric]
        return [file for file in dict.fromkeys(files) if file not in kept]


def find_best_checkpoint(work_dir: str) -> str | None:
    """Find the best checkpoint of the latest run in a work directory.

    Args:
        work_dir: The work directory.

    Returns:
        Its path: by the first metric of the record. None if no best checkpoint is recorded, or
        it was removed.
    """
    found = _read(work_dir)
    if found is None or not found.records:
        return None
    best = found.best(found.records[0].metric)
    backend = get_file_backend(work_dir)
    path = backend.join_path(work_dir, best.file) if best is not None else None
    return path if path is not None and checkpoint_exists(backend, path) else None


def _read(work_dir: str) -> BestCheckpoints | None:
    return read_record(
        work_dir,
        BEST_CHECKPOINT,
        lambda content: BestCheckpoints(str(content["run"]), map(_parse, content["best"])),
        "best checkpoints",
        "; the next best checkpoint starts a new one.",
    )


def _parse(entry: StateDict) -> BestCheckpoint:
    """Parse a checkpoint, without fields that a later version added."""
    known = {"is_best": True, **entry}  # which earlier versions do not write
    return BestCheckpoint(**{field.name: known[field.name] for field in fields(BestCheckpoint)})
