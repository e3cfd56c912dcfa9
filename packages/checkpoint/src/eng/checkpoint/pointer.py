"""Read and write ``last_checkpoint``, the file that names the latest checkpoint of a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from eng.fileio import get_file_backend
from eng.logging import print_log

from .folder import CheckpointFolder, absolute_path

__all__ = [
    "LAST_CHECKPOINT",
    "Pointer",
    "find_latest_checkpoint",
    "read_pointer",
    "write_last_checkpoint",
]

#: Name of the file in a work directory that names its latest checkpoint.
LAST_CHECKPOINT = "last_checkpoint"


class Pointer(NamedTuple):
    """What ``last_checkpoint`` says.

    Attributes:
        target: Path of the checkpoint, None where it names none.
        folder: The folder that it is in.
        fault: What is wrong with the file, None where nothing is.
    """

    target: str | None = None
    folder: CheckpointFolder | None = None
    fault: str | None = None


def write_last_checkpoint(work_dir: str, path: str) -> None:
    """Name the latest checkpoint of a work directory.

    One in the directory is named relative to it, so that the directory can be moved and copied;
    one elsewhere by its address or absolute path. Where a folder has the name of the file, a
    warning says so, and the newest checkpoint is found without it.

    Args:
        work_dir: The directory.
        path: Path or address of the checkpoint.
    """
    backend = get_file_backend(work_dir)
    pointer = backend.join_path(work_dir, LAST_CHECKPOINT)
    try:
        backend.put_text(_relative_to(work_dir, path) or absolute_path(path), pointer)
    except IsADirectoryError:
        print_log(
            f"{pointer} is a folder: the latest checkpoint is not named there. Remove it.",
            logger="current",
            level=logging.WARNING,
        )


def find_latest_checkpoint(path: str) -> str | None:
    """The latest checkpoint of a work directory, as its ``last_checkpoint`` names it.

    Args:
        path: The directory.

    Returns:
        Path of the checkpoint, or None if nothing was saved there. It is not verified. A path of
        another place, as of a directory that was moved, is the file of that name in the directory
        if there is one.
    """
    return read_pointer(path).target


def read_pointer(work_dir: str, folders: Sequence[CheckpointFolder] = ()) -> Pointer:
    """Read ``last_checkpoint``.

    Args:
        work_dir: The work directory.
        folders: Folders in which the run has its checkpoints beside it. Defaults to none.

    Returns:
        What it says.
    """
    home = CheckpointFolder(work_dir)
    path = home.join(LAST_CHECKPOINT)
    if not home.backend.isfile(path):
        is_folder = home.backend.isdir(path)
        return Pointer(fault="a folder, not a file with the name of one" if is_folder else None)
    try:
        text = home.backend.get_text(path).strip()
    except (UnicodeDecodeError, OSError) as error:
        return Pointer(fault=f"not readable as text: {error}")
    if not text or not text.isprintable():
        return Pointer(fault="not the name of a file" if text else "empty")
    readings = _readings(text, home, folders)
    existing = (each for each in readings if each[1].backend.isfile(each[0]))
    target, folder = next(existing, (_literal(text, home), home))
    return Pointer(target, folder)


def _relative_to(work_dir: str, path: str) -> str | None:
    """The name of a file of the work directory in it, None for a file elsewhere."""
    if "://" in work_dir or "://" in path:
        name = path.removeprefix(work_dir.rstrip("/") + "/")
        return None if name == path else name
    # Not the target of a link: the name in the directory is what moves with it.
    home, file = Path(work_dir).resolve(), Path(path).parent.resolve() / Path(path).name
    return str(file.relative_to(home)) if file.is_relative_to(home) else None


def _readings(
    text: str, home: CheckpointFolder, folders: Sequence[CheckpointFolder]
) -> list[tuple[str, CheckpointFolder]]:
    """What the text may mean, the likeliest first.

    An absolute path of another place is likelier one of a directory that was moved or copied: the
    file here comes before that which may still be there.
    """
    own = next((each for each in (home, *folders) if each.holds(text)), None)
    as_it_is = (text, own or home)
    if "://" in text:
        return [(text, own or CheckpointFolder(text))]
    here = (home.join(PurePath(text).name), home)
    if PurePath(text).is_absolute():
        return [as_it_is, here] if own is not None else [here, as_it_is]
    return [(home.join(text), home), here, as_it_is]


def _literal(text: str, home: CheckpointFolder) -> str:
    return text if "://" in text or PurePath(text).is_absolute() else home.join(text)
