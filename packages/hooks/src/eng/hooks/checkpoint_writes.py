"""Write checkpoints of a hook: as files or folders, at once or in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from eng.checkpoint import BackgroundWriter, FolderSaver, is_sharded
from eng.dist import all_gather_object, is_main_process

from .errors import HookArgumentError
from .protocol import CheckpointWriter

__all__ = ["FORMATS", "CheckpointWrites", "WrittenCheckpoint"]

#: Accepted formats: that of the model, one file, or a folder with shards.
FORMATS = ("auto", "file", "folder")


class WrittenCheckpoint(NamedTuple):
    """A checkpoint that was made: its name, the point of training, and the bits of its weights."""

    name: str
    point: tuple[int, int]
    bits: list[int]


class CheckpointWrites:
    """Writes of the checkpoints of one hook, of which one is in flight at most.

    Args:
        format_: ``'file'``, ``'folder'``, or ``'auto'``: a folder if the model is sharded.
        in_background: Whether training continues meanwhile.

    Raises:
        HookArgumentError: If the format is unknown.
    """

    def __init__(self, format_: str, in_background: bool) -> None:
        if format_ not in FORMATS:
            raise HookArgumentError(
                f"CheckpointHook: format must be one of {', '.join(map(repr, FORMATS))}, "
                f"not {format_!r}"
            )
        self._format = format_
        self.is_folder = format_ == "folder"
        self._writer = BackgroundWriter() if in_background else None
        self._unfinished: list[str] = []
        self._failures = 0

    @property
    def in_background(self) -> bool:
        """Whether training continues meanwhile."""
        return self._writer is not None

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is being written."""
        return self._writer is not None and self._writer.is_busy

    def choose_format(self, model: nn.Module, preferred: str | None = None) -> None:
        """Choose the format for a model. Called in all processes.

        Args:
            model: The model.
            preferred: The format that ``'auto'`` means. Defaults to None: by the model.
        """
        if self._format == "auto":
            self.is_folder = is_sharded(model) if preferred is None else preferred == "folder"
        if self.is_folder:
            FolderSaver(self._writer).join()

    def begin(self, name: str) -> CheckpointWriter | None:
        """Note that a checkpoint is written.

        Args:
            name: Its name.

        Returns:
            The writer of it, None for the default one.
        """
        self.note(name)
        if self.is_folder:
            return FolderSaver(self._writer)
        return None if self._writer is None else self._writer.save

    def note(self, name: str) -> None:
        """Note that a checkpoint is not complete before the next :meth:`check` or the end."""
        if self._writer is not None:
            self._unfinished.append(name)

    def then(self, work: Callable[[], None]) -> None:
        """Do something with files once all checkpoints so far are whole. The first process does."""
        if not is_main_process():
            return
        if self._writer is None:
            work()
        else:
            self._writer.then(work)

    def finish(self, close: bool = False) -> None:
        """Wait for writes in the background; all processes fail if one failed.

        Args:
            close: Whether no more are to come. Defaults to False.

        Raises:
            Exception: The error of the last one.
        """
        error = self._wait(close)
        self._unfinished = []
        if error is not None:
            raise error
        self._failures = 0

    def check(self, logger: logging.Logger) -> list[str]:
        """Wait for writes in the background, and pass over a failure.

        Args:
            logger: Where that is reported.

        Returns:
            Names of checkpoints that are not there, as their write failed.

        Raises:
            Exception: The error of the second in a row that failed.
        """
        names, self._unfinished = self._unfinished, []
        error = self._wait(close=False)
        if error is None:
            self._failures = 0 if names else self._failures
            return []
        self._failures += 1
        if self._failures > 1:
            raise error
        logger.warning(
            f"{', '.join(names)} could not be saved: {error}. Training continues, and ends if the "
            "next checkpoint cannot be saved either."
        )
        return names

    def _wait(self, close: bool) -> Exception | None:
        if self._writer is None:
            return None
        found: Exception | None = None
        try:
            self._writer.close() if close else self._writer.wait()
        except Exception as error:
            found = error
        return next((each for each in all_gather_object(found) if each is not None), None)
