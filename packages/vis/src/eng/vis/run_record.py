"""Continue the records of a run that is resumed, without doubling what is done again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["Curves", "count_lines", "find_folders", "mark_folder"]

#: File that says which run a folder of records is of.
MARK = "run_id.txt"


def mark_folder(save_dir: str, run_id: str, lines: int | None = None) -> None:
    """Note in a folder of records which run it is of, unless that is noted already.

    Args:
        save_dir: The folder, which is made if need be.
        run_id: Identifier of the run.
        lines: Lines of the scalars in it that are of a run before. Defaults to None, as noted.
    """
    if lines is None and _read_mark(Path(save_dir))[0] == run_id:
        return
    Path(save_dir).mkdir(parents=True, exist_ok=True)
    Path(save_dir, MARK).write_text(f"{run_id}\n{lines or 0}\n", encoding="utf-8")


def find_folders(save_dir: str, run_id: str, work_dir: str) -> list[Path]:
    """Find the folders of records of a run, those of its earlier starts among them.

    Args:
        save_dir: The folder of this start.
        run_id: Identifier of the run.
        work_dir: The work directory, in which each start has a folder.

    Returns:
        The folders, the oldest start first.
    """
    own = Path(save_dir)
    others = sorted(Path(work_dir).glob(f"*/{own.name}"), key=_begun)
    folders = [each for each in others if each.resolve() != own.resolve()] + [own]
    return [each for each in folders if _read_mark(each)[0] == run_id]


def count_lines(file: Path) -> int:
    """Return the number of lines of a file, 0 where there is none."""
    return len(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else 0


class Curves:
    """Files of scalars of one run, one JSON object a line, in the order in which they were written.

    Args:
        files: The files, the oldest first.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [each for each in files if each.is_file()]
        #: Records after the last iteration that is kept, which a repeated validation replaces.
        self._last: dict[tuple[Any, ...], Path] = {}

    def drop_after(self, step: int) -> int:
        """Move what was recorded after an iteration to a file beside, which nobody reads on.

        Args:
            step: The iteration that the run is resumed from.

        Returns:
            How many records were moved.
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
            self._last |= {_signature(r): file for r in records[last + 1 : late] if r}
            if late < len(lines):
                _move(file, lines[:late], lines[late:])
                count += len(lines) - late
        return count

    def replace(self, record: dict[str, Any]) -> None:
        """Move the record aside that a new one repeats, if there is one.

        Args:
            record: The new record.
        """
        file = self._last.pop(_signature(record), None) if self._last else None
        if file is None:
            return
        lines = file.read_text(encoding="utf-8").splitlines()
        same = [i for i, line in enumerate(lines) if _signature(_parse(line)) == _signature(record)]
        if same:
            kept = [line for i, line in enumerate(lines) if i != same[-1]]
            _move(file, kept, [lines[same[-1]]])


def _move(file: Path, kept: list[str], dropped: list[str]) -> None:
    # First the copy, then the file itself in one step: a kill in between loses nothing.
    with file.with_suffix(f".superseded{file.suffix}").open("a", encoding="utf-8") as other:
        other.writelines(f"{line}\n" for line in dropped)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    beside.replace(file)


def _parse(line: str) -> dict[str, Any] | None:
    """Return a record, None for a line that a kill has cut off."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _signature(record: dict[str, Any] | None) -> tuple[Any, ...]:
    """What two records of the same thing have in common."""
    return () if record is None else (record.get("step"), *sorted(record))


def _begun(folder: Path) -> tuple[float, str]:
    mark = folder / MARK
    return (mark.stat().st_mtime if mark.is_file() else 0.0, str(folder))


def _read_mark(folder: Path) -> tuple[str | None, int]:
    """Return the run that a folder is of, and how many lines of its scalars are of another."""
    try:
        run_id, _, lines = (folder / MARK).read_text(encoding="utf-8").partition("\n")
    except OSError:
        return None, 0
    return run_id, int(lines) if lines.strip().isdigit() else 0
