"""Find, inspect and install packages."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from .errors import ArgumentValueError

if TYPE_CHECKING:  # slow to import
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
#: Distribution names of the libraries of the OpenMMLab family, by module name.
MODULE2PACKAGE = {
    **{name: name for name in _FAMILY},
    "mmseg": "mmsegmentation",
    "mmaction": "mmaction2",
}
#: Older name of the same table.
PKG2PROJECT = MODULE2PACKAGE


def call_command(cmd: list[str]) -> None:
    """Run a command and wait for it.

    Raises:
        subprocess.CalledProcessError: The command exits with a nonzero status.
        FileNotFoundError: The program does not exist.
    """
    import subprocess

    subprocess.check_call(cmd)


def install_package(package: str) -> None:
    """Install a package with pip if it is not installed.

    Args:
        package: Requirement specifier, such as ``numpy`` or ``numpy>=1.26``.
    """
    if not is_installed(package):
        call_command([sys.executable, "-m", "pip", "install", package])


def is_installed(package: str) -> bool:
    """Return whether a package is installed or can be imported.

    Args:
        package: Name of a distribution (``opencv-python``) or of a module (``cv2``).
    """
    # A module inserted by hand has no spec, but can be imported.
    if sys.modules.get(package) is not None:
        return True
    return _find_spec(package) is not None or _find_distribution(package) is not None


def get_installed_path(package: str) -> str:
    """Return the directory of an installed package.

    Args:
        package: Name of a module (``eng.config``) or of a distribution (``eng-config``). Of
            several top-level packages of a distribution, the one of its own name is used, or else
            the first.

    Raises:
        importlib.metadata.PackageNotFoundError: The package is not installed.
        RuntimeError: The name is a namespace package in several directories, or not a package.

    Examples:
        >>> get_installed_path("eng-utils")
        '.../eng/utils'
    """
    from importlib import metadata

    spec = _find_spec(package)
    if spec is not None:
        return _locate(package, spec)
    distribution = _find_distribution(package)
    if distribution is None:
        raise metadata.PackageNotFoundError(package)
    for module in _list_modules(distribution):
        spec = _find_spec(module)
        if spec is not None and (spec.submodule_search_locations or spec.origin):
            return _locate(module, spec)
    raise RuntimeError(f"the distribution {package} is installed, but contains no Python package")


def package2module(package: str) -> str:
    """Return the import name of an installed distribution.

    Args:
        package: Name of the distribution. Of several top-level packages, the one of its own name
            is used, or else the first.

    Raises:
        importlib.metadata.PackageNotFoundError: The distribution is not installed.
        ValueError: The distribution contains no Python package.

    Examples:
        >>> package2module("eng-dl-utils")
        'eng.dl_utils'
    """
    from importlib import metadata

    distribution = _find_distribution(package)
    if distribution is None:
        raise metadata.PackageNotFoundError(package)
    # Some metadata lists a C extension, such as `_yaml`, before the package.
    for module in sorted(_list_modules(distribution), key=lambda name: name.startswith("_")):
        if _find_spec(module) is not None:
            return module
    raise ArgumentValueError(f"the distribution {package} contains no Python package")


def _find_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a parent is missing; a module like __main__ has no spec
        return None


def _find_distribution(name: str) -> metadata.Distribution | None:
    from importlib import metadata

    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _locate(name: str, spec: ModuleSpec) -> str:
    if spec.submodule_search_locations is not None:
        folders = sorted(set(spec.submodule_search_locations))
        if spec.origin in (None, "namespace") and len(folders) != 1:
            raise RuntimeError(f"{name} is a namespace package in several directories: {folders}")
        return folders[0] if len(folders) == 1 else str(Path(str(spec.origin)).parent)
    if spec.origin is None or not spec.has_location:
        raise RuntimeError(f"{name} is built into Python and has no directory")
    return str(Path(spec.origin).parent)


def _list_modules(distribution: metadata.Distribution) -> list[str]:
    """Return the import names of a distribution, the most likely first."""
    wanted = distribution.metadata["Name"].replace("-", "_").replace(".", "_").lower()
    names = set((distribution.read_text("top_level.txt") or "").split())
    for file in distribution.files or ():
        path = PurePath(file)
        if path.name == "__init__.py" and ".." not in path.parts:
            names.add(".".join(path.parent.parts))
    # An editable install lists no sources: eng-dl-utils is then imported as eng.dl_utils.
    names.update({wanted, wanted.replace("_", ".", 1)})

    def rank(name: str) -> tuple[bool, int, str]:
        return (name.replace(".", "_").lower() != wanted, name.count("."), name)

    return sorted(names, key=rank)
