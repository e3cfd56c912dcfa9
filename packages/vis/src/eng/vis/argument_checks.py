"""Check arguments that are one value for all objects, or a list of one for each."""

from __future__ import annotations

from typing import Any

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = ["check_length", "check_type", "check_type_and_length", "value2list"]


def value2list(value: object, valid_type: type | tuple[type, ...], expand_dim: int) -> Any:
    """Repeat a single value, once for each object.

    Args:
        value: A single value, or a list of values, which is returned unchanged.
        valid_type: Type of a single value, or several.
        expand_dim: Number of objects.

    Returns:
        The list.

    Examples:
        >>> value2list('g', str, 2)
        ['g', 'g']
    """
    return [value] * expand_dim if isinstance(value, valid_type) else value


def check_type(name: str, value: object, valid_type: type | tuple[type, ...]) -> None:
    """Check the type of an argument.

    Args:
        name: Name of the argument, for the error.
        value: Its value.
        valid_type: Accepted type, or several.

    Raises:
        TypeError: If it has another type.
    """
    if not isinstance(value, valid_type):
        kinds = valid_type if isinstance(valid_type, tuple) else (valid_type,)
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ArgumentTypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def check_length(name: str, value: object, valid_length: int) -> None:
    """Check that a list has a value for each object. Other types pass.

    Args:
        name: Name of the argument, for the error.
        value: Its value.
        valid_length: Number of objects.

    Raises:
        AssertionError: If the list is shorter.
    """
    if isinstance(value, list) and len(value) < valid_length:
        raise ArgumentValueError(
            f"{name} must have at least {valid_length} values, one per object, not {len(value)}"
        )


def check_type_and_length(
    name: str, value: object, valid_type: type | tuple[type, ...], valid_length: int
) -> None:
    """Check type and length of an argument, see :func:`check_type` and :func:`check_length`.

    Args:
        name: Name of the argument, for errors.
        value: Its value.
        valid_type: Accepted type, or several.
        valid_length: Number of objects.

    Raises:
        TypeError: If it has another type.
        AssertionError: If it is a shorter list.
    """
    check_type(name, value, valid_type)
    check_length(name, value, valid_length)
