"""Load checkpoints by name from torchvision and from tables of the user."""

from __future__ import annotations

import difflib
import json
import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import torch

from .errors import CheckpointError
from .loader import CheckpointLoader
from .state_dict import model_state
from .types import Checkpoint, MapLocation

__all__ = [
    "get_deprecated_model_names",
    "get_external_models",
    "get_mmcls_models",
    "get_torchvision_models",
    "load_mmcls",
    "load_open_mmlab",
    "load_torchvision",
]

_BACKBONE = "backbone."
T = TypeVar("T")


def get_torchvision_models() -> dict[str, str]:
    """Return the URLs of the weights of the installed torchvision.

    Returns:
        URLs by name: ``'resnet50.imagenet1k_v2'`` for specific weights, ``'resnet50'`` for the
        first weights that torchvision lists for the model.

    Raises:
        ModuleNotFoundError: If torchvision is not installed.
        ImportError: If it is older than 0.14, which cannot list its weights.
    """
    try:
        from torchvision.models import get_model_weights, list_models
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torchvision":
            raise  # a dependency of torchvision is missing
        raise ModuleNotFoundError(
            "torchvision is required for names of its weights: pip install torchvision",
            name=error.name,
        ) from error
    except ImportError as error:
        raise ImportError(
            "torchvision is too old to list its weights: pip install 'torchvision>=0.14'"
        ) from error
    table: dict[str, str] = {}
    for model in list_models():
        for weights in get_model_weights(model):
            table.setdefault(model, weights.url)
            table[f"{model}.{weights.name.lower()}"] = weights.url
    return table


def get_external_models() -> dict[str, str]:
    """Read the table of the user for ``open-mmlab://``.

    It is the file ``open_mmlab.json``, a JSON object of URLs by name, in ``$MMENGINE_HOME``, or in
    ``mmengine`` in the cache of the user (``$XDG_CACHE_HOME`` or ``~/.cache``) if that is not set.
    This package does not include a table.

    Returns:
        URLs by name; empty if the file does not exist. A value without a scheme is a path relative
        to that directory.

    Raises:
        CheckpointError: If the file is not such a table.
    """
    return _read_table("open_mmlab.json")


def get_mmcls_models() -> dict[str, str]:
    """Read the table of the user for ``mmcls://``, with weights of classifiers.

    Returns:
        URLs by name, from ``mmcls.json`` in the directory of :func:`get_external_models`.

    Raises:
        CheckpointError: If the file is not such a table.
    """
    return _read_table("mmcls.json")


def get_deprecated_model_names() -> dict[str, str]:
    """Read the table of the user with deprecated names for ``open-mmlab://``.

    Returns:
        New names by old name, from ``deprecated.json`` in the directory of
        :func:`get_external_models`.

    Raises:
        CheckpointError: If the file is not such a table.
    """
    return _read_table("deprecated.json")


def load_torchvision(filename: str, map_location: MapLocation = None) -> Checkpoint:
    """Load weights of torchvision, downloaded once to its own cache."""
    prefix, name = _split(filename)
    if prefix == "modelzoo":
        warnings.warn(
            f"modelzoo:// is deprecated, use torchvision://{name}", FutureWarning, stacklevel=3
        )
    try:
        table = get_torchvision_models()
    except ImportError as error:
        raise type(error)(
            f"cannot load checkpoint {filename!r}: {error}", name=error.name
        ) from error
    if name not in table:
        raise CheckpointError(
            f"unknown torchvision weights {name!r} in {filename!r}{_suggest(name, table)}"
        )
    url = table[name]
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location=map_location, progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, a corrupt file, a wrong hash: each has its own type
        raise CheckpointError(
            f"cannot load checkpoint {filename!r} from {url} (cached in "
            f"{torch.hub.get_dir()}/checkpoints): {type(error).__name__}: {error}"
        ) from error


def load_open_mmlab(filename: str, map_location: MapLocation = None) -> Checkpoint:
    """Load weights by a current or deprecated name in a table of the user."""
    prefix, name = _split(filename)
    new_name = get_deprecated_model_names().get(name)
    if new_name is not None:
        warnings.warn(
            f"{filename} is deprecated, use {prefix}://{new_name}", FutureWarning, stacklevel=3
        )
        name = new_name
    address = _look_up(filename, name, get_external_models(), "open_mmlab.json")
    return CheckpointLoader.load_checkpoint(address, map_location, "current")


def load_mmcls(filename: str, map_location: MapLocation = None) -> Checkpoint:
    """Load the backbone of a classifier, without the prefix ``backbone.`` of its names."""
    _, name = _split(filename)
    address = _look_up(filename, name, get_mmcls_models(), "mmcls.json")
    checkpoint = CheckpointLoader.load_checkpoint(address, map_location, "current")
    state = model_state(checkpoint, filename)
    backbone = OrderedDict(_select_backbone(state))
    if not backbone:
        return checkpoint
    versions = {f"{path}.": version for path, version in getattr(state, "_metadata", {}).items()}
    backbone._metadata = OrderedDict(  # type: ignore[attr-defined]
        (path.removesuffix("."), version) for path, version in _select_backbone(versions)
    )
    return {**checkpoint, "state_dict": backbone}


def _select_backbone(named: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    return (
        (name.removeprefix(_BACKBONE), value)
        for name, value in named.items()
        if name.startswith(_BACKBONE)
    )


def _split(filename: str) -> tuple[str, str]:
    prefix, _, name = filename.partition("://")
    return prefix, name


def _look_up(filename: str, name: str, table: dict[str, str], file: str) -> str:
    path = _find_home() / file
    if not path.is_file():
        raise CheckpointError(
            f"cannot load checkpoint {filename!r}: table {path} does not exist. Create it as a "
            "JSON object of URLs by name, or set MMENGINE_HOME to a directory that has it"
        )
    if name not in table:
        raise CheckpointError(
            f"cannot load checkpoint {filename!r}: unknown name {name!r} in table {path}"
            f"{_suggest(name, table)}"
        )
    address = table[name]
    return address if "://" in address else str(_find_home() / address)


def _suggest(name: str, table: dict[str, str]) -> str:
    close = difflib.get_close_matches(name, table, n=5)
    return (
        f"; did you mean one of {close}?" if close else f"; none of {len(table)} names is similar"
    )


def _read_table(file: str) -> dict[str, str]:
    path = _find_home() / file
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CheckpointError(f"table {path} is invalid JSON: {error}") from error
    if not isinstance(table, dict):
        raise CheckpointError(f"table {path} must be a JSON object, not {type(table).__name__}")
    for name, value in table.items():
        if not isinstance(value, str):
            raise CheckpointError(f"table {path} must have a string for {name!r}, not {value!r}")
    return table


def _find_home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("MMENGINE_HOME") or Path(cache) / "mmengine").expanduser()
