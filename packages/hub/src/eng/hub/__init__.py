"""Configs and models out of installed packages."""
