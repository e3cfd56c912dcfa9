"""Configs and models that installed packages bring."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from eng.checkpoint import load_checkpoint
from eng.config import Config, resolve_package_path
from eng.registry import MODELS, DefaultScope
from eng.utils import MODULE2PACKAGE, ArgumentValueError, get_installed_path

from .metafiles import list_metafile_models

__all__ = ["get_config", "get_model"]


def get_config(cfg_path: str, pretrained: bool = False) -> Config:
    """The config of a package.

    Args:
        cfg_path: ``'package::path'``, see :func:`eng.config.resolve_package_path`; or the path
            below the first folder of a config that the index of the package names.
        pretrained: Whether ``model_path`` of the config gets the address of the weights that the
            package names for it. Defaults to False. Where the package says nothing of the config,
            it warns.

    Returns:
        The config.

    Raises:
        ValueError: If ``cfg_path`` has no package, or the package lists the config without
            weights; the latter is an ``AssertionError`` as well.
        ModuleNotFoundError: If the package is not installed.
        FileNotFoundError: If it has no such config.
    """
    path = _find_config(cfg_path)
    cfg = Config.fromfile(path)
    if pretrained:
        weights = _find_weights(path, cfg_path)
        if weights is None:
            warnings.warn(_without_weights(cfg_path), stacklevel=2)
        else:
            cfg.model_path = weights
    return cfg


def get_model(cfg_path: str, pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """The model of a config of a package.

    The modules of a package of the OpenMMLab family are imported. The default scope is that of
    the config, or else the package, while the model is built.

    Args:
        cfg_path: See :func:`get_config`.
        pretrained: Whether the model gets the weights that the package names. Defaults to False.
        **kwargs: Settings of the model that its config does not have.

    Returns:
        The model.

    Raises:
        ValueError: If the config has no model, or no weights are named for it.
        ModuleNotFoundError: If the package is not installed.
        FileNotFoundError: If it has no such config.
    """
    path = _find_config(cfg_path)
    cfg = Config.fromfile(path)
    if "model" not in cfg:
        raise ValueError(f"the config {cfg_path!r} has no 'model'; it has {sorted(cfg)}")
    weights = _find_weights(path, cfg_path) if pretrained else None
    if pretrained and weights is None:
        raise ValueError(_without_weights(cfg_path))
    if cfg.get("data_preprocessor") is not None:
        cfg.model.setdefault("data_preprocessor", cfg.data_preprocessor)
    package = cfg_path.partition("::")[0]
    _import_modules(package)
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or package):
        model: nn.Module = MODELS.build(cfg.model, default_args=kwargs)
    if weights is not None:
        load_checkpoint(model, weights, map_location="cpu")
        vars(model)["_is_init"] = True  # so that init_weights() keeps them
    return model


def _find_config(cfg_path: str) -> Path:
    try:
        return resolve_package_path(cfg_path)
    except FileNotFoundError:
        package, _, inner = cfg_path.partition("::")
        name = inner if Path(inner).suffix else f"{inner}.py"
        for listed, entry in _entries(package):
            if entry["Config"].partition("/")[2] == name and listed.is_file():
                return listed
        raise


def _find_weights(path: Path, cfg_path: str) -> str | None:
    """The address that the index of a package gives for a config; None if it does not list it."""
    for listed, entry in _entries(cfg_path.partition("::")[0]):
        if listed == path:
            weights = entry.get("Weights")
            first = weights[0] if isinstance(weights, list) and weights else weights
            if not first:
                raise ArgumentValueError(
                    f"{cfg_path!r} has no weights: its package lists it as {entry.get('Name')!r} "
                    "without 'Weights'"
                )
            return str(first)
    return None


def _entries(package: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Configs that the indices of a package list, each with its entry."""
    root = Path(get_installed_path(package))
    for base in (root / ".mim", root):
        if (base / "model-index.yml").is_file():
            for entry in list_metafile_models(base):
                if entry.get("Config"):
                    yield base / entry["Config"], entry


def _without_weights(cfg_path: str) -> str:
    return f"{cfg_path!r} has no weights: no model-index.yml of its package lists the config"


def _import_modules(package: str) -> None:
    """Register the models of a package of the family, which has a function for that."""
    if package in MODULE2PACKAGE:
        utils = importlib.import_module(f"{package}.utils")
        if hasattr(utils, "register_all_modules"):
            utils.register_all_modules(False)  # the default scope stays as it is
