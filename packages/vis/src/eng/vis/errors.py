"""Errors that also have the class which code of the OpenMMLab family catches."""

from __future__ import annotations

__all__ = ["BackendNameError", "NoImageError"]


class BackendNameError(ValueError, RuntimeError):
    """Two backends of a visualizer have the same name."""


class NoImageError(RuntimeError, AssertionError):
    """No image was set to draw on."""
