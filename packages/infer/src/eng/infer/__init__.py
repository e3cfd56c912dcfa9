"""Base class of inferencers: from images and files to predictions and visualizations."""

from typing import TYPE_CHECKING

from .infer import BaseInferencer, InferencerMeta

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = ["BaseInferencer", "InferencerMeta"]
