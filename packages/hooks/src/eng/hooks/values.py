"""Convert numbers, arrays and tensors to scalars, and check arguments that are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Protocol, TypeAlias, TypeGuard

from .errors import HookArgumentError, HookTypeError

__all__ = ["check_number", "is_scalar", "json_value", "names_of", "scalar_of"]


#: Plain data that a JSON file can hold.
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class HasItem(Protocol):
    """An array or a tensor with one element."""

    def item(self) -> float:
        """Return the element."""


def scalar_of(value: object) -> float | None:
    """The number that a value is: of Python, or an array or tensor with one element.

    Args:
        value: The value.

    Returns:
        The number, None if it is not one.
    """
    if isinstance(value, (int, float)):
        return float(value)
    return float(value.item()) if _is_array_of_one(value) else None


def is_scalar(value: object) -> TypeGuard[float | HasItem]:
    """Whether a value is one number. That of a tensor stays where it is.

    Args:
        value: The value.

    Returns:
        Whether it is.
    """
    return isinstance(value, (int, float)) or _is_array_of_one(value)


def _is_array_of_one(value: object) -> TypeGuard[HasItem]:
    if not hasattr(value, "item") or not hasattr(value, "dtype"):
        return False
    count = value.numel() if hasattr(value, "numel") else getattr(value, "size", 0)
    return count == 1 and getattr(value.dtype, "kind", "f") in "biuf"


def json_value(value: object) -> JsonValue:
    """Convert a value to plain data for a JSON file.

    Args:
        value: The value.

    Returns:
        Plain data: arrays and tensors as lists, and None for what cannot be written.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(item) for item in value]
    # Numbers of numpy as well: they are arrays without dimensions.
    return json_value(value.tolist()) if hasattr(value, "tolist") else None


def check_number(name: str, value: object, least: int | None = None) -> None:
    """Refuse values that are not integers.

    Args:
        name: Name of the argument.
        value: Its value.
        least: The least that it may be. Defaults to None, any.

    Raises:
        HookTypeError: If it is not an integer.
        HookArgumentError: If it is less.
    """
    words = f"{name} must be an integer" + (f" of at least {least}" if least is not None else "")
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise HookTypeError(f"{words}, got {value!r}")
    if least is not None and int(value) < least:
        raise HookArgumentError(f"{words}, got {value!r}")


def names_of(argument: str, value: str | Sequence[str] | None) -> list[str]:
    """One name or several as a list.

    Args:
        argument: Name of the argument, for the error.
        value: Its value.

    Returns:
        The names, none for None.

    Raises:
        HookTypeError: If something else is given.
    """
    names = [value] if isinstance(value, str) else value
    if names is None:
        return []
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise HookTypeError(f"{argument} must be a str or a list of str, not {value!r}")
    return list(names)
