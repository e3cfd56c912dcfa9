"""Continue the records of a resumed run without duplicating repeated iterations."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from .types import Scalars

__all__ = ["Curves", "count_lines", "find_folders", "mark_folder"]

#: File with the identifier of the run in a directory of records.
MARK = "run_id.txt"


def mark_folder(save_dir: str, run_id: str, lines: int | None = None) -> None:
    """Write the identifier of a run to a directory of records, unless it has the same one.

    Args:
        save_dir: The directory, which is created if needed.
        run_id: Identifier of the run.
        lines: Number of lines of scalars in it from an earlier run. Defaults to None, unchanged.
    """
    if lines is None and _read_mark(Path(save_dir))[0] == run_id:
        return
    Path(save_dir).mkdir(parents=True, exist_ok=True)
    Path(save_dir, MARK).write_text(f"{run_id}\n{lines or 0}\n", encoding="utf-8")


def find_folders(save_dir: str, run_id: str, work_dir: str) -> list[Path]:
    """Find the directories of records of a run, including its earlier starts.

    Args:
        save_dir: The directory of this start.
        run_id: Identifier of the run.
        work_dir: The work directory, in which each start has a directory.

    Returns:
        The directories, the oldest start first.
    """
    own = Path(save_dir)
    others = sorted(Path(work_dir).glob(f"*/{own.name}"), key=_get_start)
    folders = [each for each in others if each.resolve() != own.resolve()] + [own]
    return [each for each in folders if _read_mark(each)[0] == run_id]


def count_lines(file: Path) -> int:
    """Return the number of lines of a file, 0 if it does not exist."""
    return len(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else 0


class Curves:
    """Scalar files of one run, one JSON object per line, in chronological order.

    Args:
        files: The files, the oldest first.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [each for each in files if each.is_file()]
        #: Records after the last kept iteration, which a repeated validation replaces.
        self._last: dict[tuple[object, ...], Path] = {}

    def drop_after(self, step: int) -> int:
        """Move records after an iteration to the superseded file.

        Args:
            step: The iteration that the run is resumed from.

        Returns:
            Number of moved records.
        """
        count = 0
        for file in self._files:
            lines = file.read_text(encoding="utf-8").splitlines()
            foreign = _read_mark(file.parent)[1]
            records = [None if i < foreign else _parse(line) for i, line in enumerate(lines)]
            iterations = [each.get("iter", 0) if each else 0 for each in records]
            late = next((i for i, each in enumerate(iterations) if each > step), len(lines))
            last = max((i for i in range(late) if iterations[i]), default=-1)
            if any(iterations[:late]):
                self._last.clear()
            self._last |= {_get_key(r): file for r in records[last + 1 : late] if r}
            if late < len(lines):
                _move(file, lines[:late], lines[late:])
                count += len(lines) - late
        return count

    def replace(self, record: Scalars) -> None:
        """Move the record that a new one repeats, if any, to the superseded file.

        Args:
            record: The new record.
        """
        file = self._last.pop(_get_key(record), None) if self._last else None
        if file is None:
            return
        lines = file.read_text(encoding="utf-8").splitlines()
        same = [i for i, line in enumerate(lines) if _get_key(_parse(line)) == _get_key(record)]
        if same:
            kept = [line for i, line in enumerate(lines) if i != same[-1]]
            _move(file, kept, [lines[same[-1]]])


def _move(file: Path, kept: list[str], dropped: list[str]) -> None:
    # First append the copy, then replace the file atomically: a kill in between loses nothing.
    with file.with_suffix(f".superseded{file.suffix}").open("a", encoding="utf-8") as other:
        other.writelines(f"{line}\n" for line in dropped)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    beside.replace(file)


def _parse(line: str) -> Scalars | None:
    """Return a record, None for an incomplete line after a kill."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _get_key(record: Scalars | None) -> tuple[object, ...]:
    """Return the step and names of a record, which its repetition has as well."""
    return () if record is None else (record.get("step"), *sorted(record))


def _get_start(folder: Path) -> tuple[float, str]:
    mark = folder / MARK
    return (mark.stat().st_mtime if mark.is_file() else 0.0, str(folder))


def _read_mark(folder: Path) -> tuple[str | None, int]:
    """Return the run of a directory, and the number of lines of scalars of an earlier run."""
    try:
        run_id, _, lines = (folder / MARK).read_text(encoding="utf-8").partition("\n")
    except OSError:
        return None, 0
    return run_id, int(lines) if lines.strip().isdigit() else 0
