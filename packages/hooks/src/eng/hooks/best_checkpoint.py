"""Record which checkpoints were the best, in a small file beside ``last_checkpoint``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from eng.checkpoint import CheckpointError
from eng.dist import broadcast_object_list, is_main_process
from eng.fileio import get_file_backend

__all__ = ["BestCheckpoint", "BestCheckpoints"]

#: Name of the file in a work directory.
BEST_CHECKPOINT = "best_checkpoint.json"


@dataclass(frozen=True)
class BestCheckpoint:
    """A checkpoint that was better than all before it.

    Attributes:
        metric: Name of the metric.
        score: Its value.
        file: Name of the checkpoint in the folder of checkpoints.
        epoch: Epochs done by then.
        iter: Iterations done by then.
    """

    metric: str
    score: float
    file: str
    epoch: int
    iter: int


class BestCheckpoints:
    """All that were the best for a while, in the order of training.

    A run that is resumed from an earlier iteration knows from it what was the best by then.

    Args:
        records: The checkpoints. Defaults to none.
    """

    def __init__(self, records: Iterable[BestCheckpoint] = ()) -> None:
        self.records = list(records)

    @classmethod
    def read(cls, work_dir: str) -> BestCheckpoints:
        """Read the record of a work directory. To be called in all processes.

        Args:
            work_dir: The directory, perhaps of a remote store, which the first process reads.

        Returns:
            The record, empty without a file.

        Raises:
            CheckpointError: If the file is not such a record.
        """
        boxes: list[list[BestCheckpoint] | str] = [_read(work_dir) if is_main_process() else []]
        broadcast_object_list(boxes)
        (found,) = boxes
        if isinstance(found, str):
            raise CheckpointError(found)
        return cls(found)

    def write(self, work_dir: str) -> None:
        """Write the record, whole or not at all.

        Args:
            work_dir: The directory.
        """
        backend = get_file_backend(work_dir)
        text = json.dumps({"best": [asdict(record) for record in self.records]}, indent=2)
        backend.put_text(f"{text}\n", backend.join_path(work_dir, BEST_CHECKPOINT))

    def up_to(self, iteration: int) -> BestCheckpoints:
        """The record as it was after an iteration.

        Args:
            iteration: Iterations done.

        Returns:
            Another record, without what came later.
        """
        return BestCheckpoints(record for record in self.records if record.iter <= iteration)

    def best(self, metric: str) -> BestCheckpoint | None:
        """The best checkpoint by a metric.

        Args:
            metric: Its name.

        Returns:
            The checkpoint, None without one.
        """
        return next((each for each in reversed(self.records) if each.metric == metric), None)

    def add(self, record: BestCheckpoint) -> list[str]:
        """Add a checkpoint that is better than those before it.

        Args:
            record: The checkpoint.

        Returns:
            Names of files that were the best by the same metric before, all of which can go.
        """
        earlier = [each.file for each in self.records if each.metric == record.metric]
        self.records.append(record)
        return [file for file in dict.fromkeys(earlier) if file != record.file]


def _read(work_dir: str) -> list[BestCheckpoint] | str:
    """The record of a work directory, or what is wrong with it."""
    backend = get_file_backend(work_dir)
    path = backend.join_path(work_dir, BEST_CHECKPOINT)
    if not backend.isfile(path):
        return []
    try:
        return [BestCheckpoint(**each) for each in json.loads(backend.get_text(path))["best"]]
    except (ValueError, TypeError, KeyError) as error:
        return (
            f"{path} is not a record of best checkpoints ({type(error).__name__}: {error}): "
            "remove it to start a new one"
        )
