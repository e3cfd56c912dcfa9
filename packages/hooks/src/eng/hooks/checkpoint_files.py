"""Copy and remove files of checkpoints, and warn of those of another run."""

from __future__ import annotations

import logging

from eng.checkpoint import CheckpointFolder, used_checkpoint
from eng.fileio import BaseStorageBackend
from eng.logging import print_log

from .protocol import HookRunner

__all__ = ["copy_file", "remove_file", "warn_of_a_used_folder"]


def copy_file(backend: BaseStorageBackend, source: str, target: str) -> None:
    """Copy a file within a storage.

    Args:
        backend: The storage.
        source: Path of the file.
        target: Path of the copy.
    """
    try:
        backend.copyfile(source, target)
    except NotImplementedError:  # a store that can only be read and written
        backend.put(backend.get(source), target)


def remove_file(backend: BaseStorageBackend, path: str, logger: logging.Logger) -> None:
    """Remove a checkpoint that is no longer kept; warn where that fails.

    Args:
        backend: Its storage.
        path: Its path.
        logger: The logger of the run.
    """
    try:
        if backend.isfile(path):
            backend.remove(path)
    except OSError as error:  # no reason to end training
        print_log(
            f"Failed to remove {path}, which is no longer kept: {error}",
            logger=logger,
            level=logging.WARNING,
        )


def warn_of_a_used_folder(folder: CheckpointFolder, runner: HookRunner) -> None:
    """Warn before training from scratch overwrites checkpoints of another run.

    Args:
        folder: Where checkpoints go.
        runner: The runner.
    """
    found = used_checkpoint(runner.work_dir, [folder])
    if found is not None:
        runner.logger.warning(
            f"{found} and others beside it are of an earlier run: this run starts from scratch and "
            "overwrites files of the same name. To resume the earlier run: resume=True, or eng "
            "train CONFIG --resume"
        )
