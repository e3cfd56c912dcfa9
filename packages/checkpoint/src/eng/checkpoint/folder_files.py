"""Publish, copy and remove checkpoints that are folders, and clean up after killed processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eng.fileio import BaseStorageBackend

from .folder import CheckpointFolder
from .folder_format import (
    COMPLETE,
    checkpoint_exists,
    find_folder_damage,
    is_local,
    is_part,
    make_part_name,
    whole_name,
)

__all__ = [
    "being_written",
    "copy_checkpoint",
    "list_incomplete",
    "publish_folder",
    "remove_checkpoint",
    "remove_incomplete",
]

#: Folders that this process is writing, which are incomplete without being left behind.
_in_progress: set[str] = set()
#: Held while a folder is given its name: two threads may save under the same one.
_publishing = threading.Lock()


@contextmanager
def being_written(path: str) -> Iterator[None]:
    """Within the block, a folder is not taken for one that a killed process left behind.

    Args:
        path: Its path.

    Yields:
        Nothing.
    """
    _in_progress.add(path)
    try:
        yield
    finally:
        _in_progress.discard(path)


def publish_folder(backend: BaseStorageBackend, part: str, path: str) -> None:
    """Give a complete folder its name, in place of an earlier one of that name.

    Args:
        backend: The storage, which can rename.
        part: The folder.
        path: Its name from now on.
    """
    old = make_part_name(path)
    with being_written(old):
        with _publishing:
            # Killed between the two renames, either folder is found by its complete.json.
            is_replaced = backend.exists(path)
            if is_replaced:
                _rename(backend, path, old)
            try:
                _rename(backend, part, path)
            except OSError:
                if is_replaced:
                    _rename(backend, old, path)
                raise
        with backend.get_local_path(path) as local:
            _sync(Path(local).absolute().parent)
        if is_replaced and backend.isfile(old):
            backend.remove(old)
        elif is_replaced:
            _discard_folder(backend, old)


def copy_checkpoint(backend: BaseStorageBackend, source: str, target: str) -> None:
    """Copy a checkpoint, a file or a folder, within a storage.

    Args:
        backend: The storage.
        source: Path of the checkpoint.
        target: Path of the copy.
    """
    if not backend.isfile(source) and checkpoint_exists(backend, source):
        _copy_folder(backend, source, target)
        return
    _copy_file(backend, source, target)


def remove_checkpoint(backend: BaseStorageBackend, path: str) -> None:
    """Remove a checkpoint, a file or a folder, if it exists.

    Args:
        backend: The storage.
        path: Path of the checkpoint.
    """
    if backend.isfile(path):
        backend.remove(path)
    elif checkpoint_exists(backend, path):
        _remove_folder(backend, path)


def list_incomplete(folder: CheckpointFolder) -> list[str]:
    """List folders that a killed process left without finishing them.

    Args:
        folder: The folder of the checkpoints.

    Returns:
        Their names, without those of complete folders that only lack their name.
    """
    backend, found = folder.backend, []
    for name in _list_left(folder):
        path = folder.join(name)
        if is_part(name):
            is_incomplete = backend.isdir(path) and not _lacks_its_name(folder, name)
        else:
            has_state = backend.isdir(backend.join_path(path, "state"))
            is_incomplete = has_state and not checkpoint_exists(backend, path)
        if is_incomplete:
            found.append(name)
    return sorted(found)


def remove_incomplete(folder: CheckpointFolder) -> list[str]:
    """Remove folders that a killed process left without finishing them.

    A complete one whose process was killed before it could rename it, or while it replaced another
    one by it, is given its name.

    Args:
        folder: The folder of the checkpoints.

    Returns:
        The names of those that are removed.
    """
    backend = folder.backend
    damaged = _name_complete(folder)
    names = sorted({*damaged, *list_incomplete(folder)})
    for name in names:
        _remove_tree(backend, folder.join(name))
    return names


def _list_left(folder: CheckpointFolder) -> list[str]:
    """List folders named like checkpoints, complete or not, that this process is not writing."""
    return [name for name in folder.subfolders() if folder.join(name) not in _in_progress]


def _lacks_its_name(folder: CheckpointFolder, name: str) -> bool:
    """Whether a folder under a temporary name is complete, and none has the name it is to have."""
    backend = folder.backend
    has_all = is_local(backend) and backend.isfile(backend.join_path(folder.path, name, COMPLETE))
    return has_all and not backend.exists(folder.join(whole_name(name)))


def _name_complete(folder: CheckpointFolder) -> list[str]:
    """Give complete folders their names, the later one of two. Return those that are damaged."""
    left = [name for name in _list_left(folder) if is_part(name) and _lacks_its_name(folder, name)]
    damaged = []
    for name in sorted(left, key=lambda each: _completed_at(folder, each), reverse=True):
        path = folder.join(name)
        if find_folder_damage(path, folder.backend) is not None:
            damaged.append(name)
            continue
        with _publishing:
            if _lacks_its_name(folder, name):  # not that of one that came first
                _rename(folder.backend, path, folder.join(whole_name(name)))
    return damaged


def _completed_at(folder: CheckpointFolder, name: str) -> float:
    with folder.backend.get_local_path(folder.join(name)) as local:
        return (Path(local) / COMPLETE).stat().st_mtime


def _copy_folder(backend: BaseStorageBackend, source: str, target: str) -> None:
    if not is_local(backend):
        if backend.isdir(target):
            _remove_folder(backend, target)
        names = list(backend.list_dir_or_file(source, list_dir=False, recursive=True))
        hidden = ["state/.metadata"]  # which listings leave out
        for name in [*(each for each in names if each != COMPLETE), *hidden, COMPLETE]:
            parts = name.split("/")
            _copy_file(
                backend, backend.join_path(source, *parts), backend.join_path(target, *parts)
            )
        return
    part = make_part_name(target)
    with being_written(part):
        try:
            backend.copytree(source, part)
            publish_folder(backend, part, target)
        except BaseException:
            with suppress(OSError):
                _remove_tree(backend, part)
            raise


def _copy_file(backend: BaseStorageBackend, source: str, target: str) -> None:
    try:
        backend.copyfile(source, target)
    except NotImplementedError:  # a store that can only be read and written
        backend.put(backend.get(source), target)


def _remove_folder(backend: BaseStorageBackend, path: str) -> None:
    if is_local(backend):  # so that no half of it has the name of a checkpoint
        part = make_part_name(path)
        _rename(backend, path, part)
        path = part
    _discard_folder(backend, path)


def _discard_folder(backend: BaseStorageBackend, path: str) -> None:
    complete = backend.join_path(path, COMPLETE)
    if backend.isfile(complete):  # first: what is left by a kill is incomplete
        backend.remove(complete)
    _remove_tree(backend, path)


def _remove_tree(backend: BaseStorageBackend, path: str) -> None:
    with suppress(FileNotFoundError):
        backend.rmtree(path)


def _rename(backend: BaseStorageBackend, source: str, target: str) -> None:
    with backend.get_local_path(source) as old, backend.get_local_path(target) as new:
        Path(old).rename(new)


def _sync(folder: Path) -> None:
    """Flush a rename to the disk, if the system supports it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
