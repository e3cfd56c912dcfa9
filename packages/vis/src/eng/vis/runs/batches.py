"""Read the records of batches that ``BatchRecordHook`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .curves import read_records
from .start import RunStart

__all__ = ["BatchRecord", "read_batches"]

#: Name of the file in the folder of a start.
FILE = "batches.jsonl"


@dataclass
class BatchRecord:
    """Batches and losses of a run by iteration, and its training data.

    Attributes:
        batches: Description of each batch: indices of its samples if it has any, and a hash.
        losses: Losses of each iteration.
        data: Description of the training data; empty without a record.
    """

    batches: dict[int, str] = field(default_factory=dict)
    losses: dict[int, dict[str, object]] = field(default_factory=dict)
    data: dict[str, object] = field(default_factory=dict)


def read_batches(starts: Sequence[RunStart]) -> BatchRecord:
    """Read the record of a run, of which later starts supersede repeated iterations.

    Args:
        starts: Starts of the run, the oldest first.
    """
    found = BatchRecord()
    for start in starts:
        file = start.folder / FILE
        if not file.is_file():
            continue
        for record in read_records(file):
            data, step = record.get("data"), record.get("iter")
            if isinstance(data, dict):
                found.data = data
            if isinstance(step, int):
                _drop_after(found, step)
                indices = record.get("samples")
                text = f"{indices} " if indices else ""
                found.batches[step] = f"{text}{record.get('batch', '')}".strip()
                losses = record.get("losses")
                found.losses[step] = losses if isinstance(losses, dict) else {}
    return found


def _drop_after(record: BatchRecord, step: int) -> None:
    """Drop the iterations from one on, which a resumed run repeats."""
    if step in record.batches:
        for table in (record.batches, record.losses):
            for late in [each for each in table if each >= step]:
                del table[late]
