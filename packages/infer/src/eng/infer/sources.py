"""Find the config and weights of a model: by file, config, name or checkpoint."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path

from eng.config import Config, ConfigDict
from eng.hub import find_model_folder, get_config, list_metafile_models, names_of_model
from eng.utils import StateDict, import_modules_from_strings

from .config_text import read_config_text
from .types import ConfigType

__all__ = ["config_of_checkpoint", "copy_config", "find_in_metafiles", "read_config"]


def read_config(model: str) -> Config | None:
    """Read the config of a file or of ``'package::path'``.

    Returns:
        The config; None if ``model`` is neither.
    """
    if os.path.isfile(model):  # noqa: PTH113 - never raises, unlike Path(model).is_file()
        return Config.fromfile(model)
    return get_config(model) if "::" in model else None


def copy_config(model: Config | Mapping[str, object]) -> ConfigType:
    """Copy a config or a dict, so that the original is not changed."""
    return copy.deepcopy(model if isinstance(model, (Config, ConfigDict)) else ConfigDict(model))


def find_in_metafiles(name: str, package: str) -> tuple[Config, str | None]:
    """Find a model by its name in the metafiles of a package.

    Args:
        name: Its name or an alias, case-insensitive.
        package: Import name of the package.

    Returns:
        Its config and the URL of its weights, which may be None.

    Raises:
        ValueError: If the name is unknown, or its entry has no config.
        ImportError: If the package is not installed.
    """
    folder = find_model_folder(package)
    for entry in list_metafile_models(folder):
        if name.lower() in (each.lower() for each in names_of_model(entry)):
            if not entry.get("Config"):
                raise ValueError(f"the metafile of {package} has no 'Config' of the model {name!r}")
            weights = entry.get("Weights")
            first = weights[0] if isinstance(weights, list) and weights else weights
            return Config.fromfile(Path(folder) / entry["Config"]), first or None
    raise ValueError(
        f"unknown model {name!r} of {package}, and not an existing config file; list the names "
        f"of all models with list_models({package!r})"
    )


def config_of_checkpoint(checkpoint: StateDict) -> ConfigDict:
    """Read the config that is saved in a checkpoint, and import its ``custom_imports``.

    Args:
        checkpoint: The checkpoint.

    Returns:
        The config.

    Raises:
        AssertionError: If the checkpoint has no information about its run.
        ValueError: If it has no config, or one that is not plain data.
        ImportError: If a module in ``custom_imports`` is missing.
    """
    text = _get_config_text(checkpoint)
    try:
        cfg = ConfigDict(read_config_text(text))
    except ValueError as error:
        raise ValueError(
            f"the config in the checkpoint cannot be read as data: {error}. "
            "Pass the config itself: model='config.py'"
        ) from error
    if cfg.get("custom_imports"):
        import_modules_from_strings(**cfg.custom_imports)
    return cfg


def _get_config_text(checkpoint: StateDict) -> str:
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f"a checkpoint must be a dict, not {type(checkpoint).__name__}")
    # After a resume, the message hub is newer than the meta information.
    recorded = (checkpoint.get("message_hub") or {}).get("runtime_info") or {}
    if isinstance(recorded.get("cfg"), str):
        return str(recorded["cfg"])
    if "meta" not in checkpoint:
        raise AssertionError(
            "missing keys: the checkpoint has neither 'message_hub' with a config nor 'meta'; "
            "pass the config itself: model='config.py'"
        )
    text = (checkpoint["meta"] or {}).get("cfg")
    if not isinstance(text, str):
        raise ValueError("the checkpoint has no config; pass the config itself: model='config.py'")
    return text
