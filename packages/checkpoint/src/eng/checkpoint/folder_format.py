"""The format of checkpoints that are folders: names, completeness, checksums.

``state/`` has the tensors in the format of torch.distributed.checkpoint, ``run.pth`` everything
else, and ``complete.json``, which is written last, the sizes and checksums of all files.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from eng.fileio import BaseStorageBackend, LocalBackend, get_file_backend

from .errors import CheckpointError
from .types import BackendArgs

__all__ = [
    "COMPLETE",
    "FILE_SUFFIXES",
    "RUN",
    "SAVED_BY",
    "checkpoint_exists",
    "find_folder_damage",
    "is_checkpoint_folder",
    "is_part",
    "make_part_name",
    "read_complete",
    "whole_name",
]

#: The file that is written last, and the file of everything but tensors.
COMPLETE, RUN = "complete.json", "run.pth"
#: Key in it of what has saved a checkpoint in a format of its own.
SAVED_BY = "saved_by"
#: Version of the format.
VERSION = 1
#: End of the name of a folder that is being written.
_PART = re.compile(r"\.part-[0-9a-f]{8}$")
#: Names of files: a folder with such a name is not looked for, which takes a request on a store.
FILE_SUFFIXES = {".pth", ".pt", ".ckpt", ".bin", ".pkl", ".safetensors"}
_CHUNK = 1 << 22


def make_part_name(path: str) -> str:
    """Return a new name beside a folder, under which it is written."""
    return f"{path.rstrip('/')}.part-{uuid.uuid4().hex[:8]}"


def is_part(name: str) -> bool:
    """Whether a name is that of a folder whose writing was not finished."""
    return bool(_PART.search(name))


def whole_name(name: str) -> str:
    """Return the name that a folder gets when it is complete."""
    return _PART.sub("", name)


def is_checkpoint_folder(path: str, backend_args: BackendArgs | None = None) -> bool:
    """Whether a checkpoint is a folder, complete or not.

    Args:
        path: Path or URL of the checkpoint.
        backend_args: Arguments of the storage backend. Defaults to None.
    """
    path = path.rstrip("/")
    if PurePath(path).suffix in FILE_SUFFIXES:
        return False
    backend = get_file_backend(path, backend_args=backend_args)
    try:
        return any(
            check(backend.join_path(path, name))
            for name, check in ((COMPLETE, backend.isfile), ("state", backend.isdir))
        )
    except NotImplementedError:  # a store without folders
        return False


def checkpoint_exists(backend: BaseStorageBackend, path: str) -> bool:
    """Whether there is a checkpoint: a file, or a folder that is complete.

    Args:
        backend: Its storage.
        path: Its path.
    """
    return backend.isfile(path) or (
        PurePath(path).suffix not in FILE_SUFFIXES
        and backend.isfile(backend.join_path(path, COMPLETE))
    )


def read_complete(path: str, backend: BaseStorageBackend) -> Mapping[str, object]:
    """Read ``complete.json`` of a checkpoint.

    Args:
        path: Path or URL of the folder.
        backend: Its storage.

    Returns:
        Its content, with sizes and checksums under ``files``.

    Raises:
        CheckpointError: If it is missing or invalid.
    """
    try:
        content = json.loads(backend.get_text(backend.join_path(path, COMPLETE)))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path!r} is incomplete: it has no {COMPLETE}, which is written last"
        ) from error
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{path!r} is corrupt: invalid {COMPLETE} ({error})") from error
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or RUN not in files or not all(map(_is_sum, files.items())):
        raise CheckpointError(f"{path!r} is corrupt: {COMPLETE} does not list its files")
    if content.get("format") != VERSION:
        raise CheckpointError(
            f"{path!r} has the format {content.get('format')!r}, this version reads {VERSION}"
        )
    return dict(content)


def find_folder_damage(
    path: str, backend: BaseStorageBackend, only: Iterable[int] | None = None
) -> str | None:
    """Compare sizes and checksums of the files of a checkpoint with those in ``complete.json``.

    Args:
        path: Path or URL of the folder.
        backend: Its storage.
        only: Numbers of the files to read. Defaults to None, all.

    Returns:
        The damage in one line, or None if all checksums match.
    """
    try:
        content = read_complete(path, backend)
    except CheckpointError as error:
        return str(error).removeprefix(f"{path!r} is ").removeprefix("corrupt: ")
    files = content["files"]
    assert isinstance(files, dict)
    names = sorted(files)
    for number in range(len(names)) if only is None else only:
        if number < len(names):
            name = names[number]
            damage = _check_file(backend, backend.join_path(path, name), files[name])
            if damage is not None:
                return f"{damage} of {name}"
    return None


def is_local(backend: BaseStorageBackend) -> bool:
    """Whether a storage can rename folders."""
    return isinstance(backend, LocalBackend)


def _is_sum(entry: tuple[str, object]) -> bool:
    name, value = entry
    is_inside = not PurePath(name).is_absolute() and ".." not in PurePath(name).parts
    return is_inside and isinstance(value, dict) and {"size", "crc32"} <= set(value)


def _check_file(
    backend: BaseStorageBackend, path: str, expected: Mapping[str, object]
) -> str | None:
    size = crc = 0
    try:
        with backend.get_local_path(path) as local, Path(local).open("rb") as file:
            while chunk := file.read(_CHUNK):
                size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    except FileNotFoundError:
        return "missing file"
    if size != expected["size"]:
        return f"wrong size, {size} bytes instead of {expected['size']},"
    return None if f"{crc:08x}" == expected["crc32"] else "checksum mismatch"
