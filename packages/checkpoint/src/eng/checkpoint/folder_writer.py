"""The writer of a run whose checkpoints are folders."""

from __future__ import annotations

from eng.utils import StateDict

from .background import BackgroundWriter
from .folder_saver import GROUP, save_folder
from .types import BackendArgs

__all__ = ["FolderSaver"]


class FolderSaver:
    """Saves checkpoints as folders. Called in all processes, unlike writers of files.

    Args:
        background: Saves them in the background. Defaults to None: they are complete when the
            call returns.
    """

    def __init__(self, background: BackgroundWriter | None = None) -> None:
        self._background = background

    def __call__(
        self, checkpoint: StateDict, filename: str, *, backend_args: BackendArgs | None = None
    ) -> None:
        """Save a checkpoint.

        Args:
            checkpoint: Tensors and plain data by name.
            filename: Path or URL of the folder.
            backend_args: Arguments of the storage backend. Defaults to None.
        """
        save = save_folder if self._background is None else self._background.save_folder
        save(checkpoint, filename, backend_args)

    def join(self) -> None:
        """Make the group of the processes that save, which the first save makes otherwise.

        Called in all processes, before training: while a group is made, none of them learns that
        another one was killed.
        """
        group = GROUP if self._background is None else self._background.group
        group.get()
