"""Find the newest whole checkpoint from which a run can be resumed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from eng.fileio import get_local_path

from .errors import CheckpointError
from .folder import CheckpointFolder
from .integrity import ARCHIVE, find_damage
from .loader import load_checked, parse_checkpoint, read_file
from .pointer import LAST_CHECKPOINT, Pointer, read_pointer

__all__ = ["NewestCheckpoint", "find_newest_checkpoint", "progress_of", "used_checkpoint"]

Meta = Mapping[str, Any]
Accept = Callable[[Meta], bool]


@dataclass
class NewestCheckpoint:
    """The outcome of a search.

    Attributes:
        path: The newest whole checkpoint, None where there is none.
        faults: What is wrong with each file that was tried before it, by path.
    """

    path: str | None = None
    faults: dict[str, str] = field(default_factory=dict)


def find_newest_checkpoint(
    work_dir: str,
    folders: Sequence[CheckpointFolder] = (),
    accept: Accept = lambda meta: True,
) -> NewestCheckpoint:
    """Find the newest whole checkpoint of a run: that of ``last_checkpoint``, or the next best.

    A checkpoint is whole if every checksum in it holds and it can be loaded. It can be resumed
    from if its ``meta`` has ``iter``; files without are passed over.

    Args:
        work_dir: The work directory.
        folders: Further folders of the run. Defaults to none.
        accept: Says by its ``meta`` whether a checkpoint is one of the run. Defaults to all.

    Returns:
        The checkpoint, and what is wrong with those that should have come before it.
    """
    found = NewestCheckpoint()
    pointer = read_pointer(work_dir, folders)
    if pointer.fault is not None:
        found.faults[CheckpointFolder(work_dir).join(LAST_CHECKPOINT)] = pointer.fault
    for path, folder in _by_age(pointer, CheckpointFolder(work_dir), folders, found.faults):
        if path in found.faults:
            continue
        try:
            meta = _verified_meta(path, folder)
        except Exception as error:  # whatever is wrong with one, the next is tried
            found.faults[path] = _reason(path, error)
            continue
        if meta is None and path == pointer.target:
            found.faults[path] = "its meta does not say how far a run had come"
        if meta is not None and accept(meta):
            found.path = path
            return found
    return found


def used_checkpoint(work_dir: str, folders: Sequence[CheckpointFolder] = ()) -> str | None:
    """A checkpoint that a run has left in its folders. Nothing is verified or downloaded.

    Args:
        work_dir: The work directory.
        folders: Further folders of the run. Defaults to none.

    Returns:
        Path of one, None where there is none.
    """
    target = read_pointer(work_dir, folders).target
    for folder in _distinct(CheckpointFolder(work_dir), folders):
        paths = [folder.join(name) for name in sorted(folder.names(), key=_number, reverse=True)]
        for path in sorted(paths, key=lambda each: each != target):
            try:
                if not folder.is_local or progress_of(path) is not None:
                    return path
            except Exception:  # damaged, but not less there
                return path
    return None


def progress_of(path: str, backend_args: dict[str, Any] | None = None) -> Meta | None:
    """The ``meta`` of a checkpoint from which a run can be resumed.

    Args:
        path: Its path or address. Of a local file only the part that says so is read.
        backend_args: Settings of the storage. Defaults to None.

    Returns:
        The meta, None where it does not have ``epoch`` and ``iter``.

    Raises:
        CheckpointError: If the file is damaged, or not a checkpoint.
        FileNotFoundError: If there is no such file.
    """
    with get_local_path(path, backend_args) as local:
        return _progress_in(local, path)


def _verified_meta(path: str, folder: CheckpointFolder) -> Meta | None:
    with get_local_path(path, folder.backend_args) as local:
        damage = _damage(local)
        if damage is not None:
            raise CheckpointError(damage)
        return _progress_in(local, path)


def _damage(local: str) -> str | None:
    with _opened(local) as file:
        return find_damage(file)


def _progress_in(local: str, path: str) -> Meta | None:
    with _opened(local) as file:
        is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    if is_archive:  # of which the tensors are left on the disk
        checkpoint = load_checked(local, path, "cpu", is_archive=True, mmap=True)
    else:
        checkpoint = parse_checkpoint(read_file(local), path, "cpu")
    meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
    counts = [meta.get(key) for key in ("epoch", "iter")] if isinstance(meta, Mapping) else [None]
    if isinstance(meta, Mapping) and meta.get("published"):  # without what a run is resumed with
        return None
    return meta if all(isinstance(each, int) for each in counts) else None


def _opened(local: str) -> BinaryIO:
    if Path(local).is_fifo():  # to open it is to wait for somebody who writes into it
        raise CheckpointError("a pipe, not a file")
    return Path(local).open("rb")


def _by_age(
    pointer: Pointer,
    home: CheckpointFolder,
    folders: Sequence[CheckpointFolder],
    faults: dict[str, str],
) -> Iterator[tuple[str, CheckpointFolder]]:
    """What ``last_checkpoint`` names, then everything else, the newest first."""
    if pointer.target is not None:
        yield pointer.target, pointer.folder or home
    every = _distinct(home, folders)
    local = [each for each in every if each.is_local]
    yield from _local_by_age(pointer.target, local, faults)
    for folder in every:
        if not folder.is_local:  # read one by one, since what is not needed takes long
            for name in sorted(folder.names(), key=_number, reverse=True):
                if folder.join(name) != pointer.target:
                    yield folder.join(name), folder


def _local_by_age(
    target: str | None, folders: Sequence[CheckpointFolder], faults: dict[str, str]
) -> list[tuple[str, CheckpointFolder]]:
    ages: dict[str, tuple[Any, ...]] = {}
    where: dict[str, CheckpointFolder] = {}
    for folder in folders:
        for path in map(folder.join, folder.names()):
            if path == target or path in ages:
                continue
            try:
                meta = progress_of(path)
            except Exception as error:
                faults[path] = _reason_to_pass_over(path, error)
                continue
            if meta is not None:
                stamp = meta.get("saved_at")
                is_original = "best_" not in Path(path).name
                age = stamp if isinstance(stamp, float) else 0.0
                ages[path] = (age, meta["iter"], meta["epoch"], is_original, path)
                where[path] = folder
    return [(path, where[path]) for path in sorted(ages, key=ages.__getitem__, reverse=True)]


def _reason_to_pass_over(path: str, error: Exception) -> str:
    """What is damaged in a file that cannot be loaded, or else the error."""
    try:
        return _damage(path) or _reason(path, error)
    except (OSError, CheckpointError):  # it cannot be opened, as by its permissions
        return _reason(path, error)


def _distinct(
    home: CheckpointFolder, folders: Sequence[CheckpointFolder]
) -> list[CheckpointFolder]:
    """All folders, of which one may be the work directory with a template of its own."""
    every = [*folders, home]
    return list({(each.path, each.template): each for each in every}.values())


def _number(name: str) -> tuple[int, str]:
    numbers = re.findall(r"\d+", name)
    return int(numbers[-1]) if numbers else -1, name


def _reason(path: str, error: Exception) -> str:
    """An error in one line, without the name of the file and torch's further advice."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a checkpoint"
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.removeprefix(f"{path!r} ").removeprefix("is damaged: ")
    return text.split(". ")[0]
