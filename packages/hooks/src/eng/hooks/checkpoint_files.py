"""Copy and remove files of checkpoints, and warn of those of another run."""

from __future__ import annotations

import logging

from eng.checkpoint import CheckpointFolder, remove_checkpoint, remove_incomplete, used_checkpoint
from eng.fileio import BaseStorageBackend
from eng.logging import print_log

from .protocol import HookRunner

__all__ = ["remove_file", "remove_unfinished", "warn_of_a_used_folder"]


def remove_file(backend: BaseStorageBackend, path: str, logger: logging.Logger) -> None:
    """Remove a checkpoint, a file or a folder, that is no longer kept; warn where that fails.

    Args:
        backend: Its storage.
        path: Its path.
        logger: The logger of the run.
    """
    try:
        remove_checkpoint(backend, path)
    except OSError as error:  # no reason to end training
        print_log(
            f"Failed to remove {path}, which is no longer kept: {error}",
            logger=logger,
            level=logging.WARNING,
        )


def remove_unfinished(folder: CheckpointFolder, logger: logging.Logger) -> None:
    """Remove checkpoints that a killed process did not finish; warn where that fails.

    Args:
        folder: The folder of the checkpoints.
        logger: The logger of the run.
    """
    try:
        names = remove_incomplete(folder)
    except OSError as error:  # no reason to end training
        print_log(
            f"Failed to remove incomplete checkpoints in {folder.path}: {error}",
            logger=logger,
            level=logging.WARNING,
        )
        return
    if names:
        print_log(f"Removed incomplete checkpoints: {', '.join(names)}.", logger=logger)


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
