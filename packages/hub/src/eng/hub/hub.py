"""Configs and models that installed packages bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from eng.checkpoint import load_checkpoint
from eng.config import Config, resolve_package_path
from eng.fileio import load
from eng.registry import MODELS, init_default_scope
from eng.utils import get_installed_path

__all__ = ["get_config", "get_model"]


def get_config(cfg_path: str, pretrained: bool = False) -> Config:
    """The config of a package.

    Args:
        cfg_path: ``'package::path'``, see :func:`eng.config.resolve_package_path`.
        pretrained: Whether ``model_path`` of the config gets the address of the weights that the
            package names for it. Defaults to False.

    Returns:
        The config.

    Raises:
        ValueError: If ``cfg_path`` has no package, or no weights are named for it.
        ModuleNotFoundError: If the package is not installed.
        FileNotFoundError: If it has no such config.
    """
    path = resolve_package_path(cfg_path)
    cfg = Config.fromfile(path)
    if pretrained:
        cfg.model_path = _find_weights(path, cfg_path)
    return cfg


def get_model(cfg_path: str, pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """The model of a config of a package.

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
    cfg = get_config(cfg_path, pretrained)
    if "model" not in cfg:
        raise ValueError(f"the config {cfg_path!r} has no 'model'; it has {sorted(cfg)}")
    init_default_scope(cfg.get("default_scope", "eng"))
    model: nn.Module = MODELS.build(cfg.model, default_args=kwargs)
    if pretrained:
        load_checkpoint(model, cfg.model_path, map_location="cpu")
    return model


def _find_weights(config: Path, cfg_path: str) -> str:
    """The address that the index of a package gives for a config."""
    root = Path(get_installed_path(cfg_path.partition("::")[0]))
    base = root / ".mim" if config.is_relative_to(root / ".mim") else root
    index = base / "model-index.yml"
    if not index.is_file():
        raise ValueError(f"{cfg_path!r} has no weights: {index} does not exist")
    relative = config.relative_to(base).as_posix()
    for name in _load_yaml(index).get("Import", []):
        models = _load_yaml(base / name)
        entries = models.get("Models", []) if isinstance(models, dict) else models
        for entry in entries:
            if entry.get("Config") == relative and entry.get("Weights"):
                return str(entry["Weights"])
    raise ValueError(f"{cfg_path!r} has no weights: {index} names none for {relative}")


def _load_yaml(path: Path) -> Any:
    return load(str(path), file_format="yaml")
