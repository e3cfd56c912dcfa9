"""Validate configs against a schema: a dataclass, a ``TypedDict`` or a model of pydantic."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from eng.utils import Mismatch, find_mismatches, read_hints

from .errors import ConfigError, SchemaError
from .origins import Origin
from .types import ConfigValue, ConfigValues

__all__ = ["validate"]


def validate(values: ConfigValues, schema: Any, find_origin: Callable[[str], Origin]) -> Any:
    """Validate a config.

    Args:
        values: The config as plain dictionaries.
        schema: The schema.
        find_origin: Function that returns the origin of a key.

    Returns:
        An instance of the schema; a dictionary for a ``TypedDict``.

    Raises:
        SchemaError: The config does not match. It has all problems.
        TypeError: The schema is none.
    """
    load = getattr(schema, "model_validate", None) or getattr(schema, "parse_obj", None)
    if load is not None:
        return _validate_by_pydantic(values, load, find_origin)
    is_schema = isinstance(schema, type) and (
        dataclasses.is_dataclass(schema) or typing.is_typeddict(schema)
    )
    if not is_schema:
        raise TypeError(
            f"schema must be a dataclass, a TypedDict or a model of pydantic, but got {schema!r}"
        )
    found = list(find_mismatches(values, schema))
    if found:
        raise _make_error(found, find_origin)
    try:
        return _build(values, schema)
    except (TypeError, ValueError) as error:  # of a __post_init__
        if isinstance(error, ConfigError):
            raise
        raise _make_error([Mismatch((), str(error))], find_origin) from error


def _validate_by_pydantic(
    values: ConfigValues,
    load: Callable[[ConfigValues], object],
    find_origin: Callable[[str], Origin],
) -> object:
    try:
        return load(values)
    except ValueError as error:
        problems = getattr(error, "errors", None)
        if problems is None:
            raise
        found = [Mismatch(tuple(map(str, each["loc"])), str(each["msg"])) for each in problems()]
        raise _make_error(found, find_origin) from error


def _make_error(found: list[Mismatch], find_origin: Callable[[str], Origin]) -> SchemaError:
    lines = []
    for path, message in found:
        key = ".".join(path)
        # The place of a key that is missing is that of the nearest dictionary.
        known = [path[:end] for end in range(len(path), 0, -1)]
        origins = [find_origin(".".join(each)) for each in known]
        origin = next((each for each in origins if each.file is not None), None)
        parts = [*([str(origin)] if origin else []), *([key] if key else []), message]
        lines.append(": ".join(parts))
    return SchemaError(lines)


def _build(value: ConfigValue, annotation: Any) -> ConfigValue:
    """Convert a valid value to the type of its annotation."""
    origin: Any = typing.get_origin(annotation) or annotation
    args = typing.get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _build(value, annotation.__origin__)
    if origin in (typing.Union, types.UnionType):
        fitting = (each for each in args if not list(find_mismatches(value, each)))
        return _build(value, next(fitting, None))
    if typing.is_typeddict(origin) and isinstance(value, Mapping):
        hints = read_hints(origin)
        return {key: _build(each, hints.get(key)) for key, each in value.items()}
    if not isinstance(origin, type):
        return value
    if dataclasses.is_dataclass(origin) and isinstance(value, Mapping):
        hints = read_hints(origin)
        return origin(**{key: _build(each, hints.get(key)) for key, each in value.items()})
    if issubclass(origin, Enum) and not isinstance(value, origin):
        members: Mapping[str, Enum] = origin.__members__
        return members[value] if value in members else origin(value)
    if isinstance(value, str) and issubclass(origin, os.PathLike):
        return origin(value)  # type: ignore[call-arg]  # a path, which has no common base
    if isinstance(value, Mapping) and len(args) == 2:
        return {key: _build(each, args[1]) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and issubclass(origin, (list, tuple, set, frozenset)):
        if origin is tuple and args and args[-1] is not Ellipsis:
            return tuple(_build(each, kind) for each, kind in zip(value, args, strict=True))
        return origin(_build(each, args[0]) if args else each for each in value)
    return value
