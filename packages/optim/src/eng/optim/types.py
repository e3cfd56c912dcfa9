"""Types of parameter groups and of arguments of optimizers."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["Arguments", "ParamGroup"]

#: Arguments by name, of an optimizer, a scaler or a clipping function.
Arguments: TypeAlias = "dict[str, Any]"

#: A parameter group of an optimizer: its ``params``, and its settings by name.
ParamGroup: TypeAlias = "dict[str, Any]"
