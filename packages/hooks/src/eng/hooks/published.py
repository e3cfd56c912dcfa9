"""Write smaller files of checkpoints for publication, and weights for other programs."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import logging
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import torch

from eng.checkpoint import CheckpointLoader, checkpoint_exists, export_weights, find_weights
from eng.fileio import get_file_backend

from .errors import HookArgumentError
from .types import StorageSettings
from .values import names_of

__all__ = ["check_export", "export", "publish", "publish_all", "published_keys_of"]

#: Ends of the names of exported weights by format.
_EXPORTS = {"safetensors": ".safetensors", "pth": "_weights.pth"}


def published_keys_of(value: str | Sequence[str] | None) -> list[str]:
    """The keys of checkpoints that are published, as a list.

    Args:
        value: One key, several, or None for none.

    Returns:
        The keys.

    Raises:
        HookTypeError: If it is something else.
        HookArgumentError: If there is a duplicate key.
    """
    keys = names_of("CheckpointHook: published_keys", value)
    duplicates = sorted({key for key in keys if keys.count(key) > 1})
    if duplicates:
        raise HookArgumentError(
            f"CheckpointHook: duplicate keys in published_keys: {', '.join(map(repr, duplicates))}"
        )
    return keys


def check_export(to: str | None) -> str | None:
    """Return the format of exported weights if it is valid.

    Args:
        to: ``'safetensors'``, ``'pth'``, or None for none.

    Raises:
        HookArgumentError: If it is something else, or needs a package that is not installed.
    """
    if to is not None and to not in _EXPORTS:
        accepted = ", ".join(map(repr, _EXPORTS))
        raise HookArgumentError(f"CheckpointHook: export must be one of {accepted}, not {to!r}")
    if to == "safetensors" and importlib.util.find_spec("safetensors") is None:
        raise HookArgumentError(
            "CheckpointHook: export='safetensors' requires: pip install "
            "'eng-checkpoint[safetensors]'"
        )
    return to


def publish_all(
    paths: Iterable[str | None],
    keys: Sequence[str],
    to: str | None,
    backend_args: StorageSettings | None,
    logger: logging.Logger,
) -> None:
    """Publish checkpoints, and write their weights alone, each once.

    Args:
        paths: The checkpoints; None for one that was not made.
        keys: See :func:`publish`.
        to: See :func:`export`.
        backend_args: Settings of their storage.
        logger: The logger of the run.
    """
    for path in dict.fromkeys(paths):
        if path:
            publish(path, keys, backend_args, logger)
            export(path, to, backend_args, logger)


def export(
    path: str, to: str | None, backend_args: StorageSettings | None, logger: logging.Logger
) -> None:
    """Write the weights of a checkpoint alone beside it.

    Args:
        path: The checkpoint, a file or a folder. If it is missing, nothing is written.
        to: The format, None to write nothing.
        backend_args: Settings of its storage.
        logger: The logger of the run.
    """
    if to is None:
        return
    backend = get_file_backend(path, backend_args=backend_args)
    if not checkpoint_exists(backend, path):
        logger.warning(f"{path} is missing and is not exported.")
        return
    checkpoint = CheckpointLoader.load_checkpoint(
        path, "cpu", logger="silent", backend_args=backend_args
    )
    ending = PurePath(path).suffix if backend.isfile(path) else ""
    target = f"{path.removesuffix(ending)}{_EXPORTS[to]}"
    export_weights(find_weights(checkpoint), target, to, backend_args)
    logger.info(f"Exported the weights of {path} to {target}.")


def publish(
    path: str,
    keys: Sequence[str],
    backend_args: StorageSettings | None,
    logger: logging.Logger,
) -> None:
    """Write a file with some keys of a checkpoint beside it.

    Its name has the first eight hexadecimal digits of its SHA-256. Its ``meta`` says that it is
    published, since a run cannot be resumed from it.

    Args:
        path: The checkpoint, a file or a folder. If it is missing, nothing is written.
        keys: The keys, none to write nothing. Missing ones are warned of.
        backend_args: Settings of its storage.
        logger: The logger of the run.
    """
    if not keys:
        return
    backend = get_file_backend(path, backend_args=backend_args)
    if not checkpoint_exists(backend, path):
        logger.warning(f"{path} is missing and is not published.")
        return
    checkpoint = CheckpointLoader.load_checkpoint(
        path, "cpu", logger="silent", backend_args=backend_args
    )
    missing = [key for key in keys if key not in checkpoint]
    if missing:
        logger.warning(f"missing keys in {path}, which are not published: {', '.join(missing)}")
    kept = {key: checkpoint[key] for key in keys if key in checkpoint}
    if isinstance(kept.get("meta"), dict):
        kept["meta"] = {**kept["meta"], "published": True}
    content = io.BytesIO()
    torch.save(kept, content)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()[:8]
    name = PurePath(path).name
    is_file = backend.isfile(path)
    stem, suffix = (PurePath(name).stem, PurePath(name).suffix) if is_file else (name, ".pth")
    folder = path.removesuffix(name).rstrip("/\\") or path.removesuffix(name)
    target = backend.join_path(folder, f"{stem}-{digest}{suffix}")
    content.seek(0)
    backend.put(content, target)
    logger.info(f"Published {', '.join(kept)} of {path} as {target}.")
