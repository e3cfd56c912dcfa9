"""Read and write ``last_checkpoint``, the file that names the latest checkpoint of a run."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from eng.fileio import get_file_backend
from eng.logging import print_log

from .folder import CheckpointFolder, absolute_path
from .folder_format import checkpoint_exists

__all__ = [
    "LAST_CHECKPOINT",
    "Pointer",
    "find_latest_checkpoint",
    "next_save_number",
    "read_pointer",
    "write_last_checkpoint",
]

#: Name of the file in a work directory that names its latest checkpoint.
LAST_CHECKPOINT = "last_checkpoint"
#: Saves are numbered in the order in which they begin, in which threads may not complete them.
_numbers = itertools.count(1)
#: The number of the save that a file names, by its path.
_named: dict[str, int] = {}
_lock = threading.Lock()


class Pointer(NamedTuple):
    """Content of ``last_checkpoint``.

    Attributes:
        target: Path of the checkpoint, None if the file is missing or invalid.
        folder: Folder of the checkpoint.
        fault: Reason why the file is invalid, None if it is missing or valid.
    """

    target: str | None = None
    folder: CheckpointFolder | None = None
    fault: str | None = None


def next_save_number() -> int:
    """Return the number of a save that begins now, for :func:`write_last_checkpoint`.

    Returns:
        The number, higher than those of all saves of this process before.
    """
    return next(_numbers)


def write_last_checkpoint(work_dir: str, path: str, number: int | None = None) -> None:
    """Write the name of the latest checkpoint to ``last_checkpoint`` in a work directory.

    Saves in the background may complete in another order than they began in: the file names the
    complete one that began last.

    A checkpoint in the directory is named relative to it, so that the directory can be moved and
    copied; any other by its URL or absolute path. If ``last_checkpoint`` is a directory, this
    warns, and the newest checkpoint is found without it.

    Args:
        work_dir: The directory.
        path: Path or URL of the checkpoint.
        number: Number of its save, by :func:`next_save_number` when that began; if the file names
            a later save already, nothing is written. Defaults to None: it is the latest.
    """
    number = next_save_number() if number is None else number
    backend = get_file_backend(work_dir)
    pointer = backend.join_path(work_dir, LAST_CHECKPOINT)
    key = absolute_path(pointer)
    try:
        with _lock:
            if number > _named.get(key, 0):
                text = _make_relative(work_dir, path) or absolute_path(path)
                backend.put_text(text, pointer)
                _named[key] = number
    except IsADirectoryError:
        print_log(
            f"{pointer} is a directory, so the latest checkpoint is not recorded there. Remove it.",
            logger="current",
            level=logging.WARNING,
        )


def find_latest_checkpoint(path: str) -> str | None:
    """Return the latest checkpoint of a work directory according to its ``last_checkpoint``.

    Args:
        path: The directory.

    Returns:
        Path of the checkpoint, None if none was saved. The file is not verified. For the path of
        another directory, such as before a move, a file of that name in this directory takes
        precedence.
    """
    return read_pointer(path).target


def read_pointer(work_dir: str, folders: Sequence[CheckpointFolder] = ()) -> Pointer:
    """Read ``last_checkpoint``.

    Args:
        work_dir: The work directory.
        folders: Further folders with checkpoints of the run. Defaults to none.

    Returns:
        Its content.
    """
    home = CheckpointFolder(work_dir)
    path = home.join(LAST_CHECKPOINT)
    if not home.backend.isfile(path):
        is_directory = home.backend.isdir(path)
        return Pointer(
            fault="a directory, not a file with the name of a checkpoint" if is_directory else None
        )
    try:
        text = home.backend.get_text(path).strip()
    except (UnicodeDecodeError, OSError) as error:
        return Pointer(fault=f"invalid text: {error}")
    if not text or not text.isprintable():
        return Pointer(fault="invalid file name" if text else "empty")
    readings = _interpret(text, home, folders)
    existing = (each for each in readings if checkpoint_exists(each[1].backend, each[0]))
    target, folder = next(existing, (_resolve(text, home), home))
    return Pointer(target, folder)


def _make_relative(work_dir: str, path: str) -> str | None:
    """Return the path of a file relative to the work directory, None for a file outside it."""
    if "://" in work_dir or "://" in path:
        name = path.removeprefix(work_dir.rstrip("/") + "/")
        return None if name == path else name
    # The target of a symbolic link is not resolved: the name in the directory moves with it.
    home, file = Path(work_dir).resolve(), Path(path).parent.resolve() / Path(path).name
    return str(file.relative_to(home)) if file.is_relative_to(home) else None


def _interpret(
    text: str, home: CheckpointFolder, folders: Sequence[CheckpointFolder]
) -> list[tuple[str, CheckpointFolder]]:
    """Return the possible meanings of the text, the most likely first.

    An absolute path outside the directory is most likely from before a move or copy: the file in
    this directory takes precedence over one that may still exist there.
    """
    own = next((each for each in (home, *folders) if each.holds(text)), None)
    as_it_is = (text, own or home)
    if "://" in text:
        return [(text, own or CheckpointFolder(text))]
    here = (home.join(PurePath(text).name), home)
    if PurePath(text).is_absolute():
        return [as_it_is, here] if own is not None else [here, as_it_is]
    return [(home.join(text), home), here, as_it_is]


def _resolve(text: str, home: CheckpointFolder) -> str:
    return text if "://" in text or PurePath(text).is_absolute() else home.join(text)
