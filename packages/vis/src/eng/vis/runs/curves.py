"""Read the scalars of a run as curves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from .start import RunNotFoundError, find_starts

__all__ = ["Curve", "RunCurves", "read_curves", "read_records"]

#: Entries of a record that say where it belongs.
_PLACES = ("step", "epoch", "iter")


@dataclass
class Curve:
    """Values of a scalar by iteration, in ascending order; a value may be NaN or infinite."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Append a value. Those of the same or later iterations are superseded by it."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            self.values.pop()
        self.steps.append(step)
        self.values.append(value)


@dataclass
class RunCurves:
    """The curves of a run.

    Attributes:
        name: Name of the run in plots.
        path: Its work directory.
        curves: Curves by name.
    """

    name: str
    path: Path
    curves: dict[str, Curve]


def read_curves(path: str | Path, name: str | None = None) -> RunCurves:
    """Read the curves of the newest run in a work directory, with all of its starts.

    The run may still be in progress. Records of the original engine are read as well.

    Args:
        path: The work directory, the folder of one start, or a file of scalars.
        name: Name of the run. Defaults to None: that of the folder.

    Raises:
        RunNotFoundError: If no scalars are recorded.
    """
    place = Path(path)
    work_dir = place
    if place.is_file():
        files = [place]
    else:
        starts = find_starts(place)
        work_dir = starts[-1].folder.parent
        files = [start.records for start in starts if start.records is not None]
    curves: dict[str, Curve] = {}
    ends = _read_epoch_ends(work_dir)
    records = chain.from_iterable(map(read_records, files))
    for step, scalars in _locate(records, ends):
        for key, value in scalars.items():
            curves.setdefault(key, Curve()).add(step, value)
    if not curves:
        where = ", ".join(str(file) for file in files) or f"{path} (no scalars.json)"
        raise RunNotFoundError(f"no scalars are recorded yet in {where}")
    return RunCurves(name or place.resolve().name, place, curves)


def read_records(file: Path) -> Iterator[dict[str, object]]:
    """Read records of one JSON object a line; incomplete lines, as of a killed run, are skipped."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def _locate(
    records: Iterable[dict[str, object]], ends: dict[int, int]
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the iteration and the scalars of each record.

    Records of training have their iteration. Those of validation have an epoch as their step, which
    ends with the iteration that the run recorded, or else after the record before.
    """
    epoch, iteration = 0, 0
    for record in records:
        scalars = {
            name: float(value)
            for name, value in record.items()
            if name not in _PLACES and isinstance(value, (int, float))
        }
        step = _as_int(record.get("step"))
        if "iter" in record:
            epoch = _as_int(record.get("epoch"), epoch)
            iteration = step = _as_int(record["iter"], step)
        elif "time" in record or "val/time" in record or step == epoch:
            is_recorded = step in ends and ("time" in record or "val/time" in record)
            if is_recorded and ends[step] >= step:
                step = ends[step]
            elif step == epoch and step < iteration:
                step = iteration
            # Times of a validation are not those of training.
            for key in ("time", "data_time"):
                if key in scalars:
                    scalars[f"val/{key}"] = scalars.pop(key)
        yield step, scalars


def _read_epoch_ends(work_dir: Path) -> dict[int, int]:
    """Read the iterations after which epochs were validated, which eng records by run."""
    try:
        record = json.loads((work_dir / "validations.json").read_text(encoding="utf-8"))
        return {int(each["epoch"]): int(each["iter"]) for each in record["validations"]}
    except (OSError, ValueError, TypeError, KeyError):
        return {}  # the run did not record them: the record before is close enough


def _as_int(value: object, default: int = 0) -> int:
    if isinstance(value, (int, float)) and math.isfinite(value):
        return int(value)
    return default
