"""Checkpoints by name: torchvision's, and those of tables that a user keeps."""

from __future__ import annotations

import difflib
import json
import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from .errors import CheckpointError
from .loader import CheckpointLoader
from .state_dict import model_state

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


def get_torchvision_models() -> dict[str, str]:
    """Addresses of the weights that the installed torchvision knows.

    Returns:
        URLs by name: ``'resnet50.imagenet1k_v2'`` names weights exactly, ``'resnet50'`` those that
        torchvision lists first for the model.

    Raises:
        ModuleNotFoundError: If torchvision is not installed.
        ImportError: If it is older than 0.14, which cannot list its weights.
    """
    try:
        from torchvision.models import get_model_weights, list_models
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torchvision":
            raise  # torchvision is there, but something that it needs is not
        raise ModuleNotFoundError(
            "names of torchvision's weights need torchvision: pip install torchvision",
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
    """The user's table of OpenMMLab's weights, for ``open-mmlab://``.

    It is the file ``open_mmlab.json``, a JSON object of addresses by name, in the folder of the
    environment variable ``MMENGINE_HOME``, without which it is ``mmengine`` in the user's cache
    (``$XDG_CACHE_HOME`` or ``~/.cache``). No table comes with this package.

    Returns:
        Addresses by name; empty if there is no such file. One without a scheme is a path, relative
        to that folder.

    Raises:
        CheckpointError: If the file is no such table.
    """
    return _read_table("open_mmlab.json")


def get_mmcls_models() -> dict[str, str]:
    """The user's table of weights of classifiers, for ``mmcls://``.

    Returns:
        Addresses by name, of ``mmcls.json`` where :func:`get_external_models` looks for its file.

    Raises:
        CheckpointError: If the file is no such table.
    """
    return _read_table("mmcls.json")


def get_deprecated_model_names() -> dict[str, str]:
    """The user's table of old names of what :func:`get_external_models` lists.

    Returns:
        New names by old name, of ``deprecated.json`` where :func:`get_external_models` looks for
        its file.

    Raises:
        CheckpointError: If the file is no such table.
    """
    return _read_table("deprecated.json")


def load_torchvision(filename: str, map_location: Any = None) -> Any:
    """Download weights once, to where torchvision itself keeps them."""
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
            f"torchvision has no weights {name!r} for {filename!r}{_close(name, table)}"
        )
    url = table[name]
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location=map_location, progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, a broken file, a wrong hash: each has its own type
        raise CheckpointError(
            f"cannot load checkpoint {filename!r} from {url}, which is kept in "
            f"{torch.hub.get_dir()}/checkpoints: {type(error).__name__}: {error}"
        ) from error


def load_open_mmlab(filename: str, map_location: Any = None) -> Any:
    """Load weights of a table of the user, by a name that may be an older one."""
    prefix, name = _split(filename)
    new_name = get_deprecated_model_names().get(name)
    if new_name is not None:
        warnings.warn(
            f"{filename} is deprecated, use {prefix}://{new_name}", FutureWarning, stacklevel=3
        )
        name = new_name
    address = _address(filename, name, get_external_models(), "open_mmlab.json")
    return CheckpointLoader.load_checkpoint(address, map_location, "current")


def load_mmcls(filename: str, map_location: Any = None) -> Any:
    """Load the backbone of a classifier, by the names that it has on its own."""
    _, name = _split(filename)
    address = _address(filename, name, get_mmcls_models(), "mmcls.json")
    checkpoint = CheckpointLoader.load_checkpoint(address, map_location, "current")
    state = model_state(checkpoint, filename)
    backbone = OrderedDict(_below_backbone(state))
    if not backbone:
        return checkpoint
    versions = {f"{path}.": version for path, version in getattr(state, "_metadata", {}).items()}
    backbone._metadata = OrderedDict(  # type: ignore[attr-defined]
        (path.removesuffix("."), version) for path, version in _below_backbone(versions)
    )
    return {**checkpoint, "state_dict": backbone}


def _below_backbone(named: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return (
        (name.removeprefix(_BACKBONE), value)
        for name, value in named.items()
        if name.startswith(_BACKBONE)
    )


def _split(filename: str) -> tuple[str, str]:
    prefix, _, name = filename.partition("://")
    return prefix, name


def _address(filename: str, name: str, table: dict[str, str], file: str) -> str:
    path = _home() / file
    if not path.is_file():
        raise CheckpointError(
            f"cannot load checkpoint {filename!r}: there is no table {path}. Put one there, a JSON "
            "object of addresses by name, or let MMENGINE_HOME name a folder that has it"
        )
    if name not in table:
        raise CheckpointError(
            f"cannot load checkpoint {filename!r}: table {path} has no {name!r}"
            f"{_close(name, table)}"
        )
    address = table[name]
    return address if "://" in address else str(_home() / address)


def _close(name: str, table: dict[str, str]) -> str:
    close = difflib.get_close_matches(name, table, n=5)
    return f"; close to it are {close}" if close else f"; it has {len(table)} others, none close"


def _read_table(file: str) -> dict[str, str]:
    path = _home() / file
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CheckpointError(f"table {path} is no JSON: {error}") from error
    if not isinstance(table, dict):
        raise CheckpointError(f"table {path} must be a JSON object, not {type(table).__name__}")
    for name, value in table.items():
        if not isinstance(value, str):
            raise CheckpointError(f"table {path} must have text at {name!r}, not {value!r}")
    return table


def _home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("MMENGINE_HOME") or Path(cache) / "mmengine").expanduser()
