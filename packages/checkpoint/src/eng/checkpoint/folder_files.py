"""Publish, copy and remove checkpoints that are folders, and clean up after killed processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eng.fileio import BaseStorageBackend

from .folder import CheckpointFolder
from .folder_format import COMPLETE, checkpoint_exists, is_local, is_part, make_part_name

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
    old = None
    if backend.exists(path):
        old = make_part_name(path)
        _rename(backend, path, old)
    _rename(backend, part, path)
    with backend.get_local_path(path) as local:
        _sync(Path(local).absolute().parent)
    if old is not None and backend.isfile(old):
        backend.remove(old)
    elif old is not None:
        _remove_tree(backend, old)


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
        Their names.
    """
    backend = folder.backend
    found = []
    for name in folder.subfolders():
        path = folder.join(name)
        if path in _in_progress:
            continue
        is_ours = is_part(name) or backend.isdir(backend.join_path(path, "state"))
        if is_ours and (is_part(name) or not checkpoint_exists(backend, path)):
            found.append(name)
    return sorted(found)


def remove_incomplete(folder: CheckpointFolder) -> list[str]:
    """Remove folders that a killed process left without finishing them.

    Args:
        folder: The folder of the checkpoints.

    Returns:
        Their names.
    """
    names = list_incomplete(folder)
    for name in names:
        _remove_tree(folder.backend, folder.join(name))
    return names


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
    else:
        complete = backend.join_path(path, COMPLETE)
        if backend.isfile(complete):
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
