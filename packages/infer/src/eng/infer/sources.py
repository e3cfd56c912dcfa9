"""Configs and weights of a model, from a file, a config, a name or a checkpoint."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eng.config import Config, ConfigDict
from eng.hub import find_model_folder, get_config, list_metafile_models, names_of_model
from eng.utils import import_modules_from_strings

from .config_text import read_config_text

__all__ = ["config_of_checkpoint", "copy_config", "find_in_metafiles", "read_config"]


def read_config(model: str) -> Config | None:
    """Read the config that a text names: an existing file, or ``'package::path'``.

    Returns:
        The config; None if the text names neither.
    """
    if os.path.isfile(model):  # noqa: PTH113 - of any text, also one that is no path
        return Config.fromfile(model)
    return get_config(model) if "::" in model else None


def copy_config(model: Config | Mapping[str, Any]) -> Config | ConfigDict:
    """Copy a config or a dict, so that the caller's stays as it is."""
    return copy.deepcopy(model if isinstance(model, (Config, ConfigDict)) else ConfigDict(model))


def find_in_metafiles(name: str, package: str) -> tuple[Config, str | None]:
    """Find a model by its name in the metafiles of a package.

    Args:
        name: Its name or an alias; upper and lower case are the same.
        package: The package, as it is imported.

    Returns:
        Its config and the address of its weights; None if it has none.

    Raises:
        ValueError: If no model has the name.
        ImportError: If the package is not installed.
    """
    folder = find_model_folder(package)
    for entry in list_metafile_models(folder):
        if name.lower() in (each.lower() for each in names_of_model(entry)):
            weights = entry.get("Weights")
            first = weights[0] if isinstance(weights, list) and weights else weights
            return Config.fromfile(Path(folder) / entry["Config"]), first or None
    raise ValueError(
        f"{package} has no model {name!r}, and no such config file exists; the names that it has "
        f"are listed by list_models({package!r})"
    )


def config_of_checkpoint(checkpoint: Mapping[str, Any]) -> ConfigDict:
    """Read the config that a run has written into its checkpoint, and import what it names.

    Args:
        checkpoint: The checkpoint.

    Returns:
        The config.

    Raises:
        AssertionError: If the checkpoint says nothing of its run.
        ValueError: If it has no config, or one that is not plain data.
        ImportError: If a module that the config names in ``custom_imports`` is missing.
    """
    text = _config_text(checkpoint)
    try:
        cfg = ConfigDict(read_config_text(text))
    except ValueError as error:
        raise ValueError(
            f"the config in the checkpoint cannot be read as data: {error}. "
            "Give the config itself: model='config.py'"
        ) from error
    if cfg.get("custom_imports"):
        import_modules_from_strings(**cfg.custom_imports)
    return cfg


def _config_text(checkpoint: Mapping[str, Any]) -> str:
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f"a checkpoint must be a dict, not {type(checkpoint).__name__}")
    # Records of a run that was resumed are newer there than in the meta information.
    recorded = (checkpoint.get("message_hub") or {}).get("runtime_info") or {}
    if isinstance(recorded.get("cfg"), str):
        return str(recorded["cfg"])
    if "meta" not in checkpoint:
        raise AssertionError(
            "the checkpoint has neither 'message_hub' with a config nor 'meta'; "
            "give the config itself: model='config.py'"
        )
    text = (checkpoint["meta"] or {}).get("cfg")
    if not isinstance(text, str):
        raise ValueError(
            "the checkpoint holds no config; give the config itself: model='config.py'"
        )
    return text
