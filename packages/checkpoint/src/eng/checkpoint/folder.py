"""List the checkpoints in a folder of a run, on any storage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from eng.fileio import BaseStorageBackend, LocalBackend, get_file_backend

from .folder_format import COMPLETE, FILE_SUFFIXES, whole_name
from .types import BackendArgs

__all__ = ["CheckpointFolder", "absolute_path", "folder_template"]

#: The field of a number in a template of names, such as ``{}`` or ``{:03d}``.
_FIELD = re.compile(r"\\\{[^{}]*\\\}")


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder of checkpoints.

    Attributes:
        path: Path or URL of the folder.
        backend_args: Arguments of the storage backend, see :func:`eng.fileio.get_file_backend`.
        template: Names of the checkpoints, with a field for a number, such as ``'iter_{}.pth'``.
            Files with the suffix ``.pth`` are checkpoints as well, whatever the template.
    """

    path: str
    backend_args: BackendArgs | None = None
    template: str = "{}.pth"

    @property
    def backend(self) -> BaseStorageBackend:
        """Storage backend of the folder."""
        return get_file_backend(self.path, backend_args=self.backend_args)

    @property
    def is_local(self) -> bool:
        """Whether the folder is in the local file system."""
        return isinstance(self.backend, LocalBackend)

    def join(self, name: str) -> str:
        """Return the path of a file in the folder.

        Args:
            name: Name of the file.
        """
        return str(self.backend.join_path(self.path, name))

    def holds(self, path: str) -> bool:
        """Whether a file is directly in the folder, by its path.

        Args:
            path: Path or URL of the file.
        """
        folder, _, name = path.replace("\\", "/").rpartition("/")
        if not self.is_local or "://" in path:
            return bool(name) and folder == self.path.rstrip("/")
        return Path(path).resolve().parent == Path(self.path).resolve()

    def has_name_of_one(self, name: str) -> bool:
        """Whether a file name is that of a checkpoint.

        It may match the template, with the prefix of a best checkpoint or without, or be one by
        iterations while the template counts epochs.

        Args:
            name: Name of a file in the folder.
        """
        return self._has_name_of_a_file(name) or self._has_name_of_a_folder(name)

    def _has_name_of_a_file(self, name: str) -> bool:
        suffix = re.escape(PurePath(self.template).suffix)
        return bool(re.fullmatch(rf"{_match(self.template)}|iter_\d+{suffix}|[^/\\]+\.pth", name))

    def _has_name_of_a_folder(self, name: str) -> bool:
        form = _match(folder_template(self.template))
        return bool(re.fullmatch(rf"{form}|iter_\d+", name))

    def names(self) -> Iterator[str]:
        """Yield the names of the checkpoints in the folder: files, and complete folders."""
        if self.backend.isdir(self.path):
            files = self.backend.list_dir_or_file(self.path, list_dir=False)
            yield from (name for name in files if self._has_name_of_a_file(name))
        for name in self.subfolders():
            if self.backend.isfile(self.backend.join_path(self.path, name, COMPLETE)):
                yield name

    def subfolders(self) -> Iterator[str]:
        """Yield the names of folders that are named like checkpoints, complete or not."""
        if self.backend.isdir(self.path):
            folders = self.backend.list_dir_or_file(self.path, list_file=False)
            yield from (name for name in folders if self._has_name_of_a_folder(whole_name(name)))


def folder_template(template: str) -> str:
    """Return the template of names of folders that belongs to one of names of files.

    Args:
        template: The template, such as ``'iter_{}.pth'``.
    """
    suffix = PurePath(template).suffix
    return template.removesuffix(suffix) if suffix in FILE_SUFFIXES else template


def _match(template: str) -> str:
    """Return a regular expression of the names of a template, of best checkpoints as well."""
    form = _FIELD.sub(r" *\\d+ *", re.escape(template))
    return rf"([^/\\]+_)?{form}"


def absolute_path(path: str) -> str:
    """Make a local path absolute; URLs are returned unchanged.

    Args:
        path: Path or URL.
    """
    # Symbolic links are kept: they may point to different disks on different machines.
    return path if "://" in path else os.path.abspath(Path(path).expanduser())  # noqa: PTH100
