"""Reading checkpoints from any place."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import IO, Any, ClassVar

from eng.fileio import get_file_backend
from eng.logging import print_log

from .errors import CheckpointError
from .integrity import ARCHIVE, find_damage
from .plain_reader import load_plain
from .safetensors_file import parse_safetensors

__all__ = ["CheckpointLoader", "load_checked", "parse_checkpoint", "read_file"]

_MODEL_ZOO = "eng.checkpoint.model_zoo"

Loader = Callable[..., Any]
Logger = logging.Logger | str | None


class CheckpointLoader:
    """Reads a checkpoint with the loader that is registered for the beginning of its name.

    Anything without a loader of its own is read through :mod:`eng.fileio`: local paths and every
    kind of address that it knows.

    Names of weights have loaders: ``torchvision://resnet50`` where torchvision is installed (see
    :func:`get_torchvision_models`), ``open-mmlab://`` and ``mmcls://``, of which the latter is a
    backbone, from tables of the user (see :func:`get_external_models`).
    """

    #: A loader, or the name of one of ours, which is imported when it is needed.
    _schemes: ClassVar[dict[str, Loader | str]] = {
        "torchvision://": "load_torchvision",
        "modelzoo://": "load_torchvision",
        "open-mmlab://": "load_open_mmlab",
        "openmmlab://": "load_open_mmlab",
        "mmcls://": "load_mmcls",
    }

    @classmethod
    def register_scheme(
        cls,
        prefixes: str | Sequence[str],
        loader: Loader | None = None,
        force: bool = False,
    ) -> Any:
        """Register a loader for names with a prefix. Also a decorator.

        Args:
            prefixes: The prefix, or several.
            loader: Called with the name and ``map_location=...``. Defaults to None: the function
                decorated.
            force: Whether to replace a loader that has the prefix. Defaults to False.

        Returns:
            The loader, or a decorator.

        Raises:
            KeyError: If a prefix has a loader already.
        """
        names = [prefixes] if isinstance(prefixes, str) else list(prefixes)

        def register(function: Loader) -> Loader:
            for name in names:
                if name in cls._schemes and not force:
                    raise KeyError(
                        f"prefix {name!r} has a loader already; replace it with force=True"
                    )
                cls._schemes[name] = function
            return function

        return register if loader is None else register(loader)

    @classmethod
    def load_checkpoint(
        cls,
        filename: str,
        map_location: Any = None,
        logger: Logger = None,
        *,
        backend_args: dict[str, Any] | None = None,
    ) -> Any:
        """Read a checkpoint and verify the checksums in it.

        Args:
            filename: Its path or address.
            map_location: As for :func:`torch.load`. Defaults to None.
            logger: Where the loading is noted. Defaults to None: it is printed.
            backend_args: Settings of the storage, see :func:`eng.fileio.get_file_backend`. A
                loader of a prefix does not get them. Defaults to None.

        Returns:
            The checkpoint.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If it is not a checkpoint, or a damaged one.
        """
        filename = str(filename)
        loader = cls._loader_of(filename)
        print_log(f"Loads checkpoint from {filename}", logger=logger)
        if loader is not None:
            return loader(filename, map_location=map_location)
        return parse_checkpoint(read_file(filename, backend_args), filename, map_location)

    @classmethod
    def has_scheme(cls, filename: str) -> bool:
        """Whether a name has a loader of its own and so is not that of a file.

        Args:
            filename: The name.

        Returns:
            Whether a loader is registered for its beginning.
        """
        return cls._loader_of(filename) is not None

    @classmethod
    def _loader_of(cls, filename: str) -> Loader | None:
        """The loader registered for the beginning of a name, None for a file."""
        matching = [prefix for prefix in cls._schemes if filename.startswith(prefix)]
        if not matching:
            return None
        found = cls._schemes[max(matching, key=len)]
        if isinstance(found, str):
            ours: Loader = getattr(import_module(_MODEL_ZOO), found)
            return ours
        return found


def read_file(filename: str, backend_args: dict[str, Any] | None = None) -> bytes:
    """Read the bytes of a checkpoint.

    Args:
        filename: Its path or address.
        backend_args: Settings of the storage. Defaults to None.

    Returns:
        The bytes.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    try:  # not all backends could tell beforehand whether there is such a file
        content: bytes = get_file_backend(filename, backend_args=backend_args).get(filename)
    except (FileNotFoundError, IsADirectoryError) as error:
        is_folder = isinstance(error, IsADirectoryError)
        kind = "a folder, not a checkpoint" if is_folder else "no such file"
        raise FileNotFoundError(f"cannot load checkpoint {filename!r}: {kind}") from error
    return content


def parse_checkpoint(data: bytes, filename: str, map_location: Any = None) -> Any:
    """Verify the bytes of a checkpoint and load them as plain data.

    Args:
        data: The bytes.
        filename: Where they come from, for the error.
        map_location: As for :func:`torch.load`. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If they are not a checkpoint, or a damaged one.
    """
    if filename.endswith(".safetensors"):
        return parse_safetensors(data, filename, map_location)
    content = io.BytesIO(data)
    damage = find_damage(content)
    if damage is not None:
        raise CheckpointError(f"{filename!r} is damaged: {damage}")
    is_archive = data.startswith(ARCHIVE)
    return load_checked(content, filename, map_location, is_archive=is_archive)


def load_checked(
    file: str | IO[bytes],
    filename: str,
    map_location: Any = None,
    *,
    is_archive: bool,
    mmap: bool | None = None,
) -> Any:
    """Load a checkpoint, whose checksums were verified, as plain data.

    Args:
        file: The local file, or an open one.
        filename: Where it comes from, for the error.
        map_location: As for :func:`torch.load`. Defaults to None.
        is_archive: Whether it is an archive, which has checksums.
        mmap: As for :func:`torch.load`. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If it is not a checkpoint, or holds more than plain data.
    """
    try:
        return load_plain(file, map_location, mmap=mmap)
    except pickle.UnpicklingError as error:
        # Of an archive the checksums hold, so that these bytes are what somebody saved.
        if "weights_only" not in str(error).lower() or not is_archive:
            raise CheckpointError(_no_checkpoint(filename, error)) from error
        raise CheckpointError(
            f"{filename!r} holds more than plain data, so that loading it could run code of "
            "whoever made it. If you trust it, convert it once: torch.save(torch.load(path, "
            "weights_only=False)['state_dict'], new_path). What was found: "
            f"{_first_line(error)}"
        ) from error
    except Exception as error:  # torch.load reads any byte as an instruction: all may go wrong
        raise CheckpointError(_no_checkpoint(filename, error)) from error


def _no_checkpoint(filename: str, error: Exception) -> str:
    # The first sentence: torch goes on to advise loading the file without weights_only.
    reason = f"{type(error).__name__}: {_first_line(error).split('. ')[0]}"
    return f"{filename!r} is not a checkpoint that torch.save wrote, or a damaged one ({reason})"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
