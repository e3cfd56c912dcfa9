"""Models that installed packages describe in their metafiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eng.fileio import load
from eng.utils import MODULE2PACKAGE, get_installed_path, is_installed

__all__ = ["find_model_folder", "list_metafile_models", "names_of_model"]


def find_model_folder(package: str) -> Path:
    """Find the folder that the configs and metafiles of a package are relative to.

    Args:
        package: Name of the package, as it is imported.

    Returns:
        The folder that holds the package, if that has ``configs`` beside it, as a checkout does;
        otherwise the folder ``.mim`` of the package.

    Raises:
        KeyError: If the package is not installed, and nothing is known of it.
        ImportError: If it is not installed; the message names what to install.
        FileNotFoundError: If it has no configs.
    """
    if not is_installed(package):
        if package not in MODULE2PACKAGE:
            known = ", ".join(sorted(MODULE2PACKAGE))
            raise KeyError(f"{package} is not installed, and is none of {known}")
        raise ImportError(
            f"{package} is not installed. To install it: pip install {MODULE2PACKAGE[package]}"
        )
    root = Path(get_installed_path(package))
    for folder in (root.parent, root / ".mim"):
        if (folder / "configs").is_dir():
            return folder
    raise FileNotFoundError(
        f"{package} has no configs: neither {root.parent / 'configs'} nor "
        f"{root / '.mim' / 'configs'} is a folder"
    )


def list_metafile_models(folder: str | Path) -> Iterator[dict[str, Any]]:
    """Read the models that the index of a folder leads to.

    Args:
        folder: A folder with ``model-index.yml``, whose ``Import`` lists further files.

    Yields:
        The entry of each model, such as ``Name``, ``Alias``, ``Config`` and ``Weights``.

    Raises:
        FileNotFoundError: If the index or a file of it is missing.
    """
    index = Path(folder) / "model-index.yml"
    if not index.is_file():
        raise FileNotFoundError(f"{folder} has no list of models: {index} is missing")
    for name in _load_yaml(index).get("Import") or ():
        content = _load_yaml(Path(folder) / name)
        yield from (content.get("Models") or () if isinstance(content, Mapping) else content or ())


def names_of_model(entry: Mapping[str, Any]) -> list[str]:
    """The name of a model and its aliases, one or several."""
    alias = entry.get("Alias") or []
    return [entry["Name"], *([alias] if isinstance(alias, str) else alias)]


def _load_yaml(path: Path) -> Any:
    return load(str(path), file_format="yaml") or {}
