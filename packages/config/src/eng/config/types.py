"""Types of configs."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["ConfigValue", "ConfigValues", "KeyPath"]

#: A value of a config: a scalar, a dictionary, list or tuple of values, a class, or any other
#: object that a Python config assigns.
ConfigValue: TypeAlias = Any

#: Values of a dictionary in a config: keys are strings, or other scalars in YAML and Python.
ConfigValues: TypeAlias = "dict[Any, ConfigValue]"

#: Keys and indices that lead to a value.
KeyPath: TypeAlias = "tuple[object, ...]"
