"""Load configs and models of installed packages."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from eng.checkpoint import load_checkpoint
from eng.config import Config, resolve_package_path
from eng.registry import MODELS, DefaultScope
from eng.utils import MODULE2PACKAGE, ArgumentValueError, get_installed_path

from .metafiles import ModelEntry, list_metafile_models

__all__ = ["get_config", "get_model"]


def get_config(cfg_path: str, pretrained: bool = False) -> Config:
    """Load the config of a package.

    Args:
        cfg_path: ``'package::path'``, see :func:`eng.config.resolve_package_path`; or the path of
            a config in the model index of the package, without its first folder.
        pretrained: Whether to set ``model_path`` of the config to the URL of its weights in the
            model index. Warns if the index does not list the config. Defaults to False.

    Returns:
        The config.

    Raises:
        ValueError: If ``cfg_path`` has no package, or the model index lists the config without
            weights; the latter is an ``AssertionError`` as well.
        ModuleNotFoundError: If the package is not installed.
        FileNotFoundError: If the package does not have the config.
    """
    path = _find_config(cfg_path)
    cfg = Config.fromfile(path)
    if pretrained:
        weights = _find_weights(path, cfg_path)
        if weights is None:
            warnings.warn(_describe_missing_weights(cfg_path), stacklevel=2)
        else:
            cfg.model_path = weights
    return cfg


def get_model(cfg_path: str, pretrained: bool = False, **kwargs: object) -> nn.Module:
    """Build the model of a config of a package.

    The modules of OpenMMLab packages are registered first. The default scope during the build is
    that of the config, or else the package.

    Args:
        cfg_path: See :func:`get_config`.
        pretrained: Whether to load the weights in the model index. Defaults to False.
        **kwargs: Default arguments of the model, overridden by its config.

    Returns:
        The model.

    Raises:
        ValueError: If the config has no model, or the model index no weights for it.
        ModuleNotFoundError: If the package is not installed.
        FileNotFoundError: If the package does not have the config.
    """
    path = _find_config(cfg_path)
    cfg = Config.fromfile(path)
    if "model" not in cfg:
        raise ValueError(f"missing key 'model' in config {cfg_path!r}, which has {sorted(cfg)}")
    weights = _find_weights(path, cfg_path) if pretrained else None
    if pretrained and weights is None:
        raise ValueError(_describe_missing_weights(cfg_path))
    if cfg.get("data_preprocessor") is not None:
        cfg.model.setdefault("data_preprocessor", cfg.data_preprocessor)
    package = cfg_path.partition("::")[0]
    _import_modules(package)
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or package):
        model: nn.Module = MODELS.build(cfg.model, default_args=kwargs)
    if weights is not None:
        load_checkpoint(model, weights, map_location="cpu")
        vars(model)["_is_init"] = True  # init_weights() must not overwrite them
    return model


def _find_config(cfg_path: str) -> Path:
    try:
        return resolve_package_path(cfg_path)
    except FileNotFoundError:
        package, _, inner = cfg_path.partition("::")
        name = inner if Path(inner).suffix else f"{inner}.py"
        for listed, entry in _iterate_entries(package):
            if entry["Config"].partition("/")[2] == name and listed.is_file():
                return listed
        raise


def _find_weights(path: Path, cfg_path: str) -> str | None:
    """Return the URL of the weights of a config, None if the model index does not list it."""
    for listed, entry in _iterate_entries(cfg_path.partition("::")[0]):
        if listed == path:
            weights = entry.get("Weights")
            first = weights[0] if isinstance(weights, list) and weights else weights
            if not first:
                raise ArgumentValueError(
                    f"{cfg_path!r} has no weights: the model index lists it as "
                    f"{entry.get('Name')!r} without 'Weights'"
                )
            return str(first)
    return None


def _iterate_entries(package: str) -> Iterator[tuple[Path, ModelEntry]]:
    """Yield the configs in the model indices of a package with their entries."""
    root = Path(get_installed_path(package))
    for base in (root / ".mim", root):
        if (base / "model-index.yml").is_file():
            for entry in list_metafile_models(base):
                if entry.get("Config"):
                    yield base / entry["Config"], entry


def _describe_missing_weights(cfg_path: str) -> str:
    return f"{cfg_path!r} has no weights: it is missing in model-index.yml of its package"


def _import_modules(package: str) -> None:
    """Register the modules of an OpenMMLab package."""
    if package in MODULE2PACKAGE:
        utils = importlib.import_module(f"{package}.utils")
        if hasattr(utils, "register_all_modules"):
            utils.register_all_modules(False)  # without changing the default scope
