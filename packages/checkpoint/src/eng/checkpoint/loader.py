"""Read checkpoints from files, storage backends and model zoos."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import IO, ClassVar, TypeVar, overload

from eng.fileio import get_file_backend
from eng.logging import print_log

from .errors import CheckpointError
from .folder_format import is_checkpoint_folder
from .integrity import ARCHIVE, find_damage
from .plain_reader import load_plain
from .safetensors_file import parse_safetensors
from .types import BackendArgs, Checkpoint, Loader, Logger, MapLocation

__all__ = ["CheckpointLoader", "load_checked", "parse_checkpoint", "read_file"]

_MODEL_ZOO = "eng.checkpoint.model_zoo"

LoaderT = TypeVar("LoaderT", bound=Loader)


class CheckpointLoader:
    """Reads a checkpoint with the loader registered for the prefix of its name.

    Names without such a prefix are paths and URLs of :mod:`eng.fileio`.

    Model zoos have prefixes: ``torchvision://resnet50`` if torchvision is installed (see
    :func:`get_torchvision_models`), ``open-mmlab://`` and ``mmcls://`` (backbones), from tables of
    the user (see :func:`get_external_models`).
    """

    #: A loader, or the name of a built-in one, which is imported on first use.
    _schemes: ClassVar[dict[str, Loader | str]] = {
        "torchvision://": "load_torchvision",
        "modelzoo://": "load_torchvision",
        "open-mmlab://": "load_open_mmlab",
        "openmmlab://": "load_open_mmlab",
        "mmcls://": "load_mmcls",
    }

    @overload
    @classmethod
    def register_scheme(
        cls, prefixes: str | Sequence[str], loader: LoaderT, force: bool = False
    ) -> LoaderT: ...

    @overload
    @classmethod
    def register_scheme(
        cls, prefixes: str | Sequence[str], loader: None = None, force: bool = False
    ) -> Callable[[LoaderT], LoaderT]: ...

    @classmethod
    def register_scheme(
        cls,
        prefixes: str | Sequence[str],
        loader: Loader | None = None,
        force: bool = False,
    ) -> Loader | Callable[[Loader], Loader]:
        """Register a loader for names with a prefix. Also a decorator.

        Args:
            prefixes: The prefix, or several.
            loader: Called with the name and ``map_location=...``. Defaults to None: the decorated
                function.
            force: Whether to replace a registered loader. Defaults to False.

        Returns:
            The loader, or a decorator.

        Raises:
            KeyError: If a prefix is already registered.
        """
        names = [prefixes] if isinstance(prefixes, str) else list(prefixes)

        def register(function: Loader) -> Loader:
            for name in names:
                if name in cls._schemes and not force:
                    raise KeyError(
                        f"prefix {name!r} is already registered with a loader; pass force=True to "
                        "replace it"
                    )
                cls._schemes[name] = function
            return function

        return register if loader is None else register(loader)

    @classmethod
    def load_checkpoint(
        cls,
        filename: str,
        map_location: MapLocation = None,
        logger: Logger = None,
        *,
        backend_args: BackendArgs | None = None,
    ) -> Checkpoint:
        """Read a checkpoint and verify its checksums.

        Args:
            filename: Path or URL of the checkpoint, a file or a folder.
            map_location: As for :func:`torch.load`. Defaults to None.
            logger: Logger of the message. Defaults to None: it is printed.
            backend_args: Arguments of the storage backend, see
                :func:`eng.fileio.get_file_backend`; not passed to loaders of a prefix. Defaults to
                None.

        Returns:
            The checkpoint.

        Raises:
            FileNotFoundError: If the file does not exist.
            CheckpointError: If it is corrupt or not a checkpoint.
        """
        filename = str(filename)
        loader = cls._find_loader(filename)
        print_log(f"Loads checkpoint from {filename}", logger=logger)
        if loader is not None:
            return loader(filename, map_location=map_location)
        if is_checkpoint_folder(filename, backend_args):
            from .folder_loader import load_folder

            return load_folder(filename, map_location, backend_args)
        return parse_checkpoint(read_file(filename, backend_args), filename, map_location)

    @classmethod
    def has_scheme(cls, filename: str) -> bool:
        """Whether a name has the prefix of a registered loader, and is not a file.

        Args:
            filename: The name.
        """
        return cls._find_loader(filename) is not None

    @classmethod
    def _find_loader(cls, filename: str) -> Loader | None:
        """Return the loader of the longest matching prefix, None for a file."""
        matching = [prefix for prefix in cls._schemes if filename.startswith(prefix)]
        if not matching:
            return None
        found = cls._schemes[max(matching, key=len)]
        if isinstance(found, str):
            built_in: Loader = getattr(import_module(_MODEL_ZOO), found)
            return built_in
        return found


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
            f"path, weights_only=False)['state_dict'], new_path). Refused: {_get_first_line(error)}"
        ) from error
    except Exception as error:  # unpickling corrupt bytes may raise anything
        raise CheckpointError(_describe(filename, error)) from error


def _describe(filename: str, error: Exception) -> str:
    # The first sentence alone: the next ones advise loading without weights_only.
    reason = f"{type(error).__name__}: {_get_first_line(error).split('. ')[0]}"
    return f"{filename!r} is not a checkpoint written by torch.save, or is corrupt ({reason})"


def _get_first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
