"""Find the newest valid checkpoint to resume from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from eng.fileio import BaseStorageBackend, get_file_backend, get_local_path

from .errors import CheckpointError
from .folder import CheckpointFolder
from .folder_files import list_incomplete
from .folder_format import find_folder_damage, is_checkpoint_folder, read_complete
from .integrity import ARCHIVE, find_damage
from .parsing import load_checked, parse_checkpoint, read_file
from .pointer import LAST_CHECKPOINT, Pointer, read_pointer
from .types import BackendArgs, Checkpoint, Meta

__all__ = ["NewestCheckpoint", "find_newest_checkpoint", "progress_of", "used_checkpoint"]

Accept = Callable[[Meta], bool]


@dataclass
class NewestCheckpoint:
    """Result of a search for a checkpoint to resume from.

    Attributes:
        path: The newest valid checkpoint, None if none was found.
        faults: Reasons why newer files were rejected, by path.
        incomplete: Folders that were not finished, as a process was killed.
    """

    path: str | None = None
    faults: dict[str, str] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)


def find_newest_checkpoint(
    work_dir: str,
    folders: Sequence[CheckpointFolder] = (),
    accept: Accept = lambda meta: True,
) -> NewestCheckpoint:
    """Find the newest valid checkpoint of a run: that of ``last_checkpoint``, or the next best.

    A checkpoint is valid if all its checksums match and it can be loaded. A run can resume from it
    if its ``meta`` has ``epoch`` and ``iter``; other files are skipped.

    Args:
        work_dir: The work directory.
        folders: Further folders with checkpoints of the run. Defaults to none.
        accept: Called with the ``meta`` of a checkpoint; returns whether it belongs to the run.
            Defaults to accepting all.

    Returns:
        The path of the checkpoint, and why newer files were rejected.
    """
    found = NewestCheckpoint()
    for folder in _deduplicate(CheckpointFolder(work_dir), folders):
        found.incomplete += map(folder.join, list_incomplete(folder))
    found.incomplete = list(dict.fromkeys(found.incomplete))
    pointer = read_pointer(work_dir, folders)
    if pointer.fault is not None:
        found.faults[CheckpointFolder(work_dir).join(LAST_CHECKPOINT)] = pointer.fault
    for path, folder in _iterate_by_age(pointer, CheckpointFolder(work_dir), folders, found.faults):
        if path in found.faults:
            continue
        try:
            meta = _verify(path, folder)
        except Exception as error:  # whatever is wrong with this one, an older one may be valid
            found.faults[path] = _describe(path, error)
            continue
        if meta is None and path == pointer.target:
            found.faults[path] = "its meta has no epoch and iter to resume from"
        if meta is not None and accept(meta):
            found.path = path
            return found
    return found


def used_checkpoint(work_dir: str, folders: Sequence[CheckpointFolder] = ()) -> str | None:
    """Return a checkpoint in the folders of a run, without verifying or downloading it.

    Args:
        work_dir: The work directory.
        folders: Further folders with checkpoints of the run. Defaults to none.

    Returns:
        Its path, None if no checkpoint was found.
    """
    target = read_pointer(work_dir, folders).target
    for folder in _deduplicate(CheckpointFolder(work_dir), folders):
        paths = [
            folder.join(name) for name in sorted(folder.names(), key=_parse_number, reverse=True)
        ]
        for path in sorted(paths, key=lambda each: each != target):
            try:
                if not folder.is_local or progress_of(path) is not None:
                    return path
            except Exception:  # corrupt, but the run did save it
                return path
    return None


def progress_of(path: str, backend_args: BackendArgs | None = None) -> Meta | None:
    """Return the ``meta`` of a checkpoint that a run can resume from.

    Args:
        path: Path or URL of the checkpoint. The tensors of a local file are not read.
        backend_args: Arguments of the storage backend. Defaults to None.

    Returns:
        The meta, None if it has no ``epoch`` and ``iter``.

    Raises:
        CheckpointError: If the file is corrupt or not a checkpoint.
        FileNotFoundError: If the file does not exist.
    """
    if is_checkpoint_folder(path, backend_args):
        return _read_folder_progress(path, get_file_backend(path, backend_args=backend_args))
    with get_local_path(path, backend_args) as local:
        return _read_progress(local, path)


def _verify(path: str, folder: CheckpointFolder) -> Meta | None:
    if is_checkpoint_folder(path, folder.backend_args):
        damage = find_folder_damage(path, folder.backend)
        if damage is not None:
            raise CheckpointError(damage)
        return _read_folder_progress(path, folder.backend)
    with get_local_path(path, folder.backend_args) as local:
        damage = _find_damage(local)
        if damage is not None:
            raise CheckpointError(damage)
        return _read_progress(local, path)


def _find_damage(local: str) -> str | None:
    with _open(local) as file:
        return find_damage(file)


def _read_progress(local: str, path: str) -> Meta | None:
    with _open(local) as file:
        is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    if is_archive:  # mapped, so that the tensors stay on the disk
        checkpoint = load_checked(local, path, "cpu", is_archive=True, mmap=True)
    else:
        checkpoint = parse_checkpoint(read_file(local), path, "cpu")
    return _find_progress(checkpoint)


def _read_folder_progress(path: str, backend: BaseStorageBackend) -> Meta | None:
    from .folder_loader import read_run

    read_complete(path, backend)  # raises for one that is incomplete
    return _find_progress(read_run(path, backend))


def _find_progress(checkpoint: Checkpoint) -> Meta | None:
    meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
    counts = [meta.get(key) for key in ("epoch", "iter")] if isinstance(meta, Mapping) else [None]
    if isinstance(meta, Mapping) and meta.get("published"):  # weights alone, no state to resume
        return None
    return meta if all(isinstance(each, int) for each in counts) else None


def _open(local: str) -> BinaryIO:
    if Path(local).is_fifo():  # opening it would block until another process writes to it
        raise CheckpointError("a named pipe, not a file")
    return Path(local).open("rb")


def _iterate_by_age(
    pointer: Pointer,
    home: CheckpointFolder,
    folders: Sequence[CheckpointFolder],
    faults: dict[str, str],
) -> Iterator[tuple[str, CheckpointFolder]]:
    """Yield the file that ``last_checkpoint`` names, then all others from new to old."""
    if pointer.target is not None:
        yield pointer.target, pointer.folder or home
    every = _deduplicate(home, folders)
    local = [each for each in every if each.is_local]
    yield from _sort_local(pointer.target, local, faults)
    for folder in every:
        if not folder.is_local:  # one by one: a download that is not needed takes long
            for name in sorted(folder.names(), key=_parse_number, reverse=True):
                if folder.join(name) != pointer.target:
                    yield folder.join(name), folder


def _sort_local(
    target: str | None, folders: Sequence[CheckpointFolder], faults: dict[str, str]
) -> list[tuple[str, CheckpointFolder]]:
    ages: dict[str, tuple[float, int, int, bool, str]] = {}
    where: dict[str, CheckpointFolder] = {}
    for folder in folders:
        for path in map(folder.join, folder.names()):
            if path == target or path in ages:
                continue
            try:
                meta = progress_of(path)
            except Exception as error:
                faults[path] = _describe_local(path, error)
                continue
            if meta is not None:
                stamp = meta.get("saved_at")
                is_original = "best_" not in Path(path).name
                age = stamp if isinstance(stamp, float) else 0.0
                ages[path] = (age, meta["iter"], meta["epoch"], is_original, path)
                where[path] = folder
    return [(path, where[path]) for path in sorted(ages, key=ages.__getitem__, reverse=True)]


def _describe_local(path: str, error: Exception) -> str:
    """Describe the damage of a file that cannot be loaded, or else the error."""
    if Path(path).is_dir():
        return _describe(path, error)
    try:
        return _find_damage(path) or _describe(path, error)
    except (OSError, CheckpointError):  # it cannot be opened, such as for its permissions
        return _describe(path, error)


def _deduplicate(
    home: CheckpointFolder, folders: Sequence[CheckpointFolder]
) -> list[CheckpointFolder]:
    """All folders once; one may be the work directory with a template of its own."""
    every = [*folders, home]
    return list({(each.path, each.template): each for each in every}.values())


def _parse_number(name: str) -> tuple[int, str]:
    numbers = re.findall(r"\d+", name)
    return int(numbers[-1]) if numbers else -1, name


def _describe(path: str, error: Exception) -> str:
    """Describe an error in one line, without the path and torch's further advice."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory, not a checkpoint"
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.removeprefix(f"{path!r} ").removeprefix("is corrupt: ")
    return text.split(". ")[0]
