"""Parse the bytes of checkpoint files as plain data."""

from __future__ import annotations

import io
import pickle
import re
from typing import IO

from eng.fileio import get_file_backend

from .errors import CheckpointError
from .integrity import ARCHIVE, find_damage
from .plain_reader import load_plain
from .safetensors_file import parse_safetensors
from .types import BackendArgs, Checkpoint, MapLocation

__all__ = ["load_checked", "parse_checkpoint", "read_file"]


def read_file(filename: str, backend_args: BackendArgs | None = None) -> bytes:
    """Read the bytes of a checkpoint.

    Args:
        filename: Path or URL of the checkpoint.
        backend_args: Arguments of the storage backend. Defaults to None.

    Returns:
        The bytes.

    Raises:
        FileNotFoundError: If the file does not exist.
    """
    try:  # not every backend can check for the file beforehand
        content: bytes = get_file_backend(filename, backend_args=backend_args).get(filename)
    except (FileNotFoundError, IsADirectoryError) as error:
        is_folder = isinstance(error, IsADirectoryError)
        kind = "a directory, not a checkpoint" if is_folder else "no such file"
        raise FileNotFoundError(f"cannot load checkpoint {filename!r}: {kind}") from error
    return content


def parse_checkpoint(data: bytes, filename: str, map_location: MapLocation = None) -> Checkpoint:
    """Verify the bytes of a checkpoint and load them as plain data.

    Args:
        data: The bytes.
        filename: Source of the bytes, for the error.
        map_location: As for :func:`torch.load`. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If they are corrupt or not a checkpoint.
    """
    if filename.endswith(".safetensors"):
        return parse_safetensors(data, filename, map_location)
    content = io.BytesIO(data)
    damage = find_damage(content)
    if damage is not None:
        raise CheckpointError(f"{filename!r} is corrupt: {damage}")
    is_archive = data.startswith(ARCHIVE)
    return load_checked(content, filename, map_location, is_archive=is_archive)


def load_checked(
    file: str | IO[bytes],
    filename: str,
    map_location: MapLocation = None,
    *,
    is_archive: bool,
    mmap: bool | None = None,
) -> Checkpoint:
    """Load a checkpoint with verified checksums as plain data.

    Args:
        file: The local file, or an open one.
        filename: Source of the file, for the error.
        map_location: As for :func:`torch.load`. Defaults to None.
        is_archive: Whether it is an archive, which has checksums.
        mmap: As for :func:`torch.load`. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If it is not a checkpoint, or contains objects other than plain data.
    """
    try:
        return load_plain(file, map_location, mmap=mmap)
    except pickle.UnpicklingError as error:
        # The checksums of an archive match, so the refused class was saved, not caused by damage.
        if "weights_only" not in str(error).lower() or not is_archive:
            raise CheckpointError(_describe(filename, error)) from error
        raise CheckpointError(
            f"{filename!r} contains objects other than tensors and plain data, which could execute "
            "arbitrary code. If you trust the file, convert it once: torch.save(torch.load("
            f"path, weights_only=False)['state_dict'], new_path). Refused: {_find_refused(error)}"
        ) from error
    except Exception as error:  # unpickling corrupt bytes may raise anything
        raise CheckpointError(_describe(filename, error)) from error


def _find_refused(error: Exception) -> str:
    """Return the name of the class that torch refuses, or else what it says."""
    found = re.search(r"\bGLOBAL ([\w.]+)", str(error))
    return found[1] if found else _get_first_sentence(error)


def _describe(filename: str, error: Exception) -> str:
    reason = f"{type(error).__name__}: {_get_first_sentence(error)}"
    return f"{filename!r} is not a checkpoint written by torch.save, or is corrupt ({reason})"


def _get_first_sentence(error: Exception) -> str:
    # The next ones advise loading without weights_only.
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return first.split(". ")[0]
