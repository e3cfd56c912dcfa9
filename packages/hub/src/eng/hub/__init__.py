"""Configs and models out of installed packages."""

from .hub import get_config, get_model

__all__ = ["get_config", "get_model"]
