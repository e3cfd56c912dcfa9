"""Folders in which a run keeps its checkpoints, on any storage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from eng.fileio import LocalBackend, get_file_backend

__all__ = ["CheckpointFolder", "absolute_path"]

#: The place of the number in a template of names, such as ``{}`` or ``{:03d}``.
_FIELD = re.compile(r"\\\{[^{}]*\\\}")


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder of checkpoints.

    Attributes:
        path: Its path or address.
        backend_args: Settings of its storage, see :func:`eng.fileio.get_file_backend`.
        template: Names of the checkpoints, with a field for a number, such as ``'iter_{}.pth'``.
            Files of the suffix ``.pth`` are taken for checkpoints whatever it is.
    """

    path: str
    backend_args: dict[str, Any] | None = None
    template: str = "{}.pth"

    @property
    def backend(self) -> Any:
        """The storage."""
        return get_file_backend(self.path, backend_args=self.backend_args)

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk of this machine."""
        return isinstance(self.backend, LocalBackend)

    def join(self, name: str) -> str:
        """Path of a file in the folder.

        Args:
            name: Its name.
        """
        return str(self.backend.join_path(self.path, name))

    def holds(self, path: str) -> bool:
        """Whether a path is one of a file in the folder itself.

        Args:
            path: Path or address of a file.
        """
        folder, _, name = path.replace("\\", "/").rpartition("/")
        if not self.is_local or "://" in path:
            return bool(name) and folder == self.path.rstrip("/")
        return Path(path).resolve().parent == Path(self.path).resolve()

    def has_name_of_one(self, name: str) -> bool:
        """Whether a file is a checkpoint by its name.

        Args:
            name: A name in the folder, not a path.

        Returns:
            Whether it is: by the template, as a best one, or by iterations where the template
            counts epochs.
        """
        form = _FIELD.sub(r" *\\d+ *", re.escape(self.template))
        by_iterations = rf"iter_\d+{re.escape(PurePath(self.template).suffix)}"
        return bool(re.fullmatch(rf"([^/\\]+_)?{form}|{by_iterations}|[^/\\]+\.pth", name))

    def names(self) -> Iterator[str]:
        """List what has the name of a checkpoint."""
        if self.backend.isdir(self.path):
            files = self.backend.list_dir_or_file(self.path, list_dir=False)
            yield from filter(self.has_name_of_one, files)


def absolute_path(path: str) -> str:
    """A path that means the same from everywhere: absolute where it is local.

    Args:
        path: Path or address.
    """
    # Links stay as they are: they may lead to other disks on other machines.
    return path if "://" in path else os.path.abspath(Path(path).expanduser())  # noqa: PTH100
