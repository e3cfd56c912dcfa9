"""Write smaller files of checkpoints for publication."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from pathlib import PurePath

import torch

from eng.checkpoint import CheckpointLoader, checkpoint_exists
from eng.fileio import get_file_backend

from .errors import HookArgumentError
from .types import StorageSettings
from .values import names_of

__all__ = ["publish", "published_keys_of"]


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
        keys: The keys. Missing ones are warned of.
        backend_args: Settings of its storage.
        logger: The logger of the run.
    """
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
