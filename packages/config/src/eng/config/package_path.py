"""Resolve config files of installed packages, named as ``package::path``."""

from __future__ import annotations

from pathlib import Path

from eng.utils import check_inner_path, get_installed_path, is_installed

from .keys import FORMATS

__all__ = ["resolve_package_path"]


def resolve_package_path(reference: str) -> Path:
    """Return the path of the config file ``package::path``.

    Args:
        reference: Import or distribution name of an installed package, and a path relative to its
            directory ``.mim/configs``, to ``configs`` or to itself, searched in this order. The
            suffix ``.py`` may be omitted.

    Returns:
        Path of the file.

    Raises:
        ValueError: ``reference`` is not of this form, or its path is outside the package.
        ModuleNotFoundError: The package is not installed.
        FileNotFoundError: The file does not exist in the package.

    Examples:
        >>> resolve_package_path("mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco")  # doctest: +SKIP
        PosixPath('.../mmdet/.mim/configs/faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    """
    package, colons, inner = reference.partition("::")
    if not (colons and package and inner):
        raise ValueError(
            f"expected a config of a package as 'package::path', but got {reference!r}"
        )
    check_inner_path(inner, f"the path of {reference!r}")
    if not is_installed(package):
        raise ModuleNotFoundError(
            f"{reference!r} requires the package {package}, which is not installed"
        )
    root = Path(get_installed_path(package))
    name = inner if inner.endswith(FORMATS) else f"{inner}.py"
    places = [folder / name for folder in (root / ".mim" / "configs", root / "configs", root)]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(
        f"{package} has no config {name!r}: searched for {', '.join(map(str, places))}"
    )
