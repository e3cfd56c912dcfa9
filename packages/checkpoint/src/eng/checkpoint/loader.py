"""Reading checkpoints from any place."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from eng.fileio import get_file_backend
from eng.logging import print_log

from .errors import CheckpointError

__all__ = ["CheckpointLoader"]

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

    _schemes: ClassVar[dict[str, Loader]] = {}

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
    ) -> Any:
        """Read a checkpoint.

        Args:
            filename: Its path or address.
            map_location: As for :func:`torch.load`. Defaults to None.
            logger: Where the loading is noted. Defaults to None: it is printed.

        Returns:
            The checkpoint.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If it is no checkpoint.
        """
        filename = str(filename)
        matching = [prefix for prefix in cls._schemes if filename.startswith(prefix)]
        loader = cls._schemes[max(matching, key=len)] if matching else _load_by_fileio
        print_log(f"Loads checkpoint from {filename}", logger=logger)
        return loader(filename, map_location=map_location)


def _load_by_fileio(filename: str, map_location: Any = None) -> Any:
    try:  # not all backends could tell beforehand whether there is such a file
        content = io.BytesIO(get_file_backend(filename).get(filename))
    except (FileNotFoundError, IsADirectoryError) as error:
        is_folder = isinstance(error, IsADirectoryError)
        kind = "a folder, not a checkpoint" if is_folder else "no such file"
        raise FileNotFoundError(f"cannot load checkpoint {filename!r}: {kind}") from error
    try:
        return torch.load(content, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower() or not _is_archive(content):
            raise CheckpointError(_no_checkpoint(filename, error)) from error
        raise CheckpointError(
            f"{filename!r} holds more than plain data, so that loading it could run code of "
            "whoever made it. If you trust it, convert it once: torch.save(torch.load(path, "
            "weights_only=False)['state_dict'], new_path). What was found: "
            f"{_first_line(error)}"
        ) from error
    except Exception as error:  # torch.load reads any byte as an instruction: all may go wrong
        raise CheckpointError(_no_checkpoint(filename, error)) from error


def _is_archive(content: io.BytesIO) -> bool:
    return bytes(content.getbuffer()[:2]) in (b"PK", b"\x80\x02")


def _no_checkpoint(filename: str, error: Exception) -> str:
    reason = f"{type(error).__name__}: {_first_line(error)}"
    return f"{filename!r} is no checkpoint that torch.save wrote, or a broken one ({reason})"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
