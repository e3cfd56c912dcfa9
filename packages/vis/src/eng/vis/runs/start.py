"""Find the starts of a run in its work directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from eng.utils import UserError

__all__ = ["RunNotFoundError", "RunStart", "find_starts"]

#: Names of folders of a start: a time, with a number for the second start within one second.
_STAMP = re.compile(r"\d{8}_\d{6}(?:_\d+)?")
#: Folder with records, and the file in it that names the run.
_RECORDS, _MARK = "vis_data", "run_id.txt"


class RunNotFoundError(UserError):
    """A folder has no records of a run."""


@dataclass(frozen=True)
class RunStart:
    """One start of a run: its folder in the work directory.

    Attributes:
        folder: The folder.
        run_id: Identifier of the run, the same for the starts that resume it; None for runs of the
            original engine.
    """

    folder: Path
    run_id: str | None

    @property
    def name(self) -> str:
        """Name of the folder, which is the time of the start."""
        return self.folder.name

    @property
    def records(self) -> Path | None:
        """File of scalars with one JSON object a line; None without one."""
        folder = self.folder / _RECORDS
        files = [folder / "scalars.json", *sorted(folder.glob("*.json"))]
        usual = (file for file in files if file.is_file() and "superseded" not in file.name)
        return next(usual, None)

    @property
    def log(self) -> Path | None:
        """Log file; None without one."""
        own = self.folder / f"{self.folder.name}.log"
        return own if own.is_file() else next(iter(sorted(self.folder.glob("*.log"))), None)

    @property
    def config(self) -> Path | None:
        """The dumped config; None without one."""
        places = [(self.folder / _RECORDS, "py")]
        places += [(self.folder, suffix) for suffix in ("py", "yaml", "yml", "json", "toml")]
        files = (file for folder, suffix in places for file in sorted(folder.glob(f"*.{suffix}")))
        return next(files, None)


def find_starts(path: str | Path, *, every: bool = False) -> list[RunStart]:
    """Find the starts of the newest run in a work directory, the oldest first.

    Args:
        path: The work directory, or the folder of one start in it.
        every: Whether to return the starts of all runs in the directory. Defaults to False.

    Raises:
        RunNotFoundError: If there is none.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise RunNotFoundError(f"{path} is not a directory: expected the work directory of a run")
    if folder.resolve().name == _RECORDS:  # the folder inside of a start
        folder = folder.resolve().parent
    if _is_start(folder):
        return [_read_start(folder)]
    starts = [
        _read_start(each) for each in sorted(folder.iterdir(), key=_sort_key) if _is_start(each)
    ]
    if not starts:
        raise RunNotFoundError(
            f"{path} has no records of a run: expected folders such as 20240131_235959 with a log "
            "or vis_data/scalars.json in it"
        )
    trained = [start for start in starts if start.records is not None] or starts
    if every or trained[-1].run_id is None:
        return starts
    return [start for start in starts if start.run_id == trained[-1].run_id]


def _is_start(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    if (folder / _RECORDS).is_dir():
        return True
    return bool(_STAMP.fullmatch(folder.name)) and any(folder.glob("*.log"))


def _sort_key(folder: Path) -> tuple[str, int]:
    """Sort times by time, and the tenth start within a second behind the second."""
    stamp, _, count = folder.name.partition("_")[2].partition("_")
    return f"{folder.name.partition('_')[0]}_{stamp}", int(count) if count.isdigit() else 0


def _read_start(folder: Path) -> RunStart:
    mark = folder / _RECORDS / _MARK
    lines = mark.read_text(encoding="utf-8").splitlines() if mark.is_file() else []
    return RunStart(folder, lines[0] if lines else None)
