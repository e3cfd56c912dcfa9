"""Read the models in the metafiles of installed packages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from eng.fileio import load
from eng.utils import MODULE2PACKAGE, get_installed_path, is_installed

__all__ = ["ModelEntry", "find_model_folder", "list_metafile_models", "names_of_model"]

#: A model in a metafile: ``Name``, ``Alias``, ``Config``, ``Weights`` and further keys of YAML.
ModelEntry: TypeAlias = dict[str, Any]


def find_model_folder(package: str) -> Path:
    """Find the base folder of the configs and metafiles of a package.

    Args:
        package: Name of the package, as it is imported.

    Returns:
        The parent folder of the package if it has ``configs``, as in a source checkout; otherwise
        the folder ``.mim`` of the package.

    Raises:
        KeyError: If the package is unknown and not installed.
        ImportError: If it is known but not installed; the message has the command to install it.
        FileNotFoundError: If it has no configs.
    """
    if not is_installed(package):
        if package not in MODULE2PACKAGE:
            known = ", ".join(sorted(MODULE2PACKAGE))
            raise KeyError(
                f"unknown package {package!r}: it is not installed and not one of {known}"
            )
        raise ImportError(f"{package} is not installed: pip install {MODULE2PACKAGE[package]}")
    root = Path(get_installed_path(package))
    for folder in (root.parent, root / ".mim"):
        if (folder / "configs").is_dir():
            return folder
    raise FileNotFoundError(
        f"configs of {package} not found: neither {root.parent / 'configs'} nor "
        f"{root / '.mim' / 'configs'} is a folder"
    )


def list_metafile_models(folder: str | Path) -> Iterator[ModelEntry]:
    """Yield the models in the metafiles of a model index.

    Args:
        folder: A folder with ``model-index.yml``, whose ``Import`` lists further files.

    Yields:
        The entry of each model, such as ``Name``, ``Alias``, ``Config`` and ``Weights``.

    Warns:
        UserWarning: If a file in the index is missing.

    Raises:
        FileNotFoundError: If the index is missing.
    """
    index = Path(folder) / "model-index.yml"
    if not index.is_file():
        raise FileNotFoundError(f"model index of {folder} not found: {index} is missing")
    for name in (load(str(index), file_format="yaml") or {}).get("Import") or ():
        path = Path(folder) / name
        if not path.is_file():
            warnings.warn(f"{index} lists {name}, which is missing", stacklevel=2)
            continue
        content = load(str(path), file_format="yaml") or {}
        yield from (content.get("Models") or () if isinstance(content, Mapping) else content or ())


def names_of_model(entry: ModelEntry) -> list[str]:
    """Return the name and the aliases of a model."""
    alias = entry.get("Alias") or []
    return [entry["Name"], *([alias] if isinstance(alias, str) else alias)]
