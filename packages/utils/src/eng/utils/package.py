"""Installed packages: whether they are there, and where."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from .errors import ArgumentValueError

if TYPE_CHECKING:  # imported late, since it is slow to import
    from importlib import metadata

__all__ = [
    "MODULE2PACKAGE",
    "PKG2PROJECT",
    "call_command",
    "get_installed_path",
    "install_package",
    "is_installed",
    "package2module",
]

_FAMILY = (
    *("mmcls", "mmdet", "mmdet3d", "mmseg", "mmaction", "mmtrack", "mmpose", "mmedit", "mmocr"),
    *("mmgen", "mmfewshot", "mmrazor", "mmflow", "mmhuman3d", "mmrotate", "mmselfsup", "mmyolo"),
    *("mmpretrain", "mmagic"),
)
#: Libraries of the OpenMMLab family: name of the module to that of the distribution.
MODULE2PACKAGE = {
    **{name: name for name in _FAMILY},
    "mmseg": "mmsegmentation",
    "mmaction": "mmaction2",
}
# The older name of the same.
PKG2PROJECT = MODULE2PACKAGE


def call_command(cmd: list[str]) -> None:
    """Run a command and wait for it.

    Raises:
        subprocess.CalledProcessError: The command ends with another status than 0.
        FileNotFoundError: There is no such program.
    """
    import subprocess

    subprocess.check_call(cmd)


def install_package(package: str) -> None:
    """Install a package with pip, unless it is installed.

    Args:
        package: Requirement as pip takes it, such as ``numpy`` or ``numpy>=1.26``.
    """
    if not is_installed(package):
        call_command([sys.executable, "-m", "pip", "install", package])


def is_installed(package: str) -> bool:
    """Return whether a package can be imported or is installed under this name.

    Args:
        package: Name of a distribution (``opencv-python``) or of a module (``cv2``).
    """
    # A module that somebody put there by hand has no spec, but can be imported.
    if sys.modules.get(package) is not None:
        return True
    return _find_spec(package) is not None or _distribution(package) is not None


def get_installed_path(package: str) -> str:
    """Return the folder of an installed package.

    Args:
        package: Name of a module (``eng.config``) or of a distribution (``eng-config``). A
            distribution with several top-level packages gives the one of its own name, else the
            first.

    Raises:
        importlib.metadata.PackageNotFoundError: Nothing of that name is installed.
        RuntimeError: The name is a namespace that lies in several folders, or is no package.

    Examples:
        >>> get_installed_path("eng-utils")
        '.../eng/utils'
    """
    from importlib import metadata

    spec = _find_spec(package)
    if spec is not None:
        return _folder_of(package, spec)
    distribution = _distribution(package)
    if distribution is None:
        raise metadata.PackageNotFoundError(package)
    for module in _modules_of(distribution):
        spec = _find_spec(module)
        if spec is not None and (spec.submodule_search_locations or spec.origin):
            return _folder_of(module, spec)
    raise RuntimeError(f"the distribution {package} is installed, but holds no python package")


def package2module(package: str) -> str:
    """Return the name under which an installed distribution is imported.

    Args:
        package: Name of the distribution. One with several top-level packages gives the one of
            its own name, else the first.

    Raises:
        importlib.metadata.PackageNotFoundError: It is not installed.
        ValueError: It holds no Python package.

    Examples:
        >>> package2module("eng-dl-utils")
        'eng.dl_utils'
    """
    from importlib import metadata

    distribution = _distribution(package)
    if distribution is None:
        raise metadata.PackageNotFoundError(package)
    # An extension in C of its own, such as `_yaml`, stands before the package in some metadata.
    for module in sorted(_modules_of(distribution), key=lambda name: name.startswith("_")):
        if _find_spec(module) is not None:
            return module
    raise ArgumentValueError(f"the distribution {package} holds no python package")


def _find_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a parent is missing; a module like __main__ has no spec
        return None


def _distribution(name: str) -> metadata.Distribution | None:
    from importlib import metadata

    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _folder_of(name: str, spec: ModuleSpec) -> str:
    if spec.submodule_search_locations is not None:
        folders = sorted(set(spec.submodule_search_locations))
        if spec.origin in (None, "namespace") and len(folders) != 1:
            raise RuntimeError(
                f"{name} is a namespace package that lies in several folders: {folders}"
            )
        return folders[0] if len(folders) == 1 else str(Path(str(spec.origin)).parent)
    if spec.origin is None or not spec.has_location:
        raise RuntimeError(f"{name} is built into python and has no folder")
    return str(Path(spec.origin).parent)


def _modules_of(distribution: metadata.Distribution) -> list[str]:
    """Importable names that a distribution brings, the likeliest first."""
    wanted = distribution.metadata["Name"].replace("-", "_").replace(".", "_").lower()
    names = set((distribution.read_text("top_level.txt") or "").split())
    for file in distribution.files or ():
        path = PurePath(file)
        if path.name == "__init__.py" and ".." not in path.parts:
            names.add(".".join(path.parent.parts))
    # An editable install lists no sources: eng-dl-utils is then found as eng.dl_utils.
    names.update({wanted, wanted.replace("_", ".", 1)})

    def rank(name: str) -> tuple[bool, int, str]:
        return (name.replace(".", "_").lower() != wanted, name.count("."), name)

    return sorted(names, key=rank)
