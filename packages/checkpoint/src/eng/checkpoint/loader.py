"""Read checkpoints from files, storage backends and model zoos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import ClassVar, TypeVar, overload

from eng.logging import print_log

from .folder_format import is_checkpoint_folder
from .parsing import parse_checkpoint, read_file
from .types import BackendArgs, Checkpoint, Loader, Logger, MapLocation

__all__ = ["CheckpointLoader"]

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
