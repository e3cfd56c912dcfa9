"""Hold values against annotations."""

from __future__ import annotations

import collections.abc
import dataclasses
import difflib
import os
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Mismatch", "find_mismatches", "is_plain_annotation", "read_hints"]

#: A class, or what :mod:`typing` makes of classes.
Annotation: TypeAlias = Any

_PLAIN = (bool, int, float, str, list, tuple, dict, type(None))
# Wrappers around an annotation that say nothing of the value.
_WRAPPERS = {"Annotated", "Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "InitVar"}
_SEQUENCES = (list, tuple, set, frozenset)


class Mismatch(NamedTuple):
    """A value that does not have the type of its annotation.

    Attributes:
        path: Keys and indices that lead to the value.
        message: The type that it must have, or the key that is missing or unknown.
    """

    path: tuple[str, ...]
    message: str


def find_mismatches(
    value: object, annotation: Annotation, path: tuple[str, ...] = ()
) -> Iterator[Mismatch]:
    """Find the values in a value that do not have the types of an annotation.

    Annotations of the standard library are understood, with dataclasses and ``TypedDict`` for
    dictionaries; anything is accepted for others. An integer may stand for a float, a list for
    any sequence or set, text for a path, and the value or name of a member for an ``Enum``.

    Args:
        value: The value.
        annotation: The annotation.
        path: Keys that lead to the value.

    Yields:
        The mismatches, with their paths.

    Examples:
        >>> list(find_mismatches({"a": "x"}, dict[str, int]))
        [Mismatch(path=('a',), message="must be an int, not 'x'")]
    """
    annotation = _unwrap(annotation)
    origin, args = _split(annotation)
    if origin in (typing.Union, types.UnionType):
        yield from _check_union(value, args, path)
    elif origin is typing.Literal:
        if not any(value == each and type(value) is type(each) for each in args):
            near = _hint(str(value), [each for each in args if isinstance(each, str)])
            known = " or ".join(map(repr, args))
            yield Mismatch(path, f"must be {known}, not {_show(value)}{near}")
    elif _is_schema(origin):
        yield from _check_fields(value, origin, path)
    elif isinstance(origin, type) or origin is None:
        yield from _check_class(value, origin or type(None), args, path)


def is_plain_annotation(annotation: Annotation) -> bool:
    """Return whether an annotation consists of the types of plain data alone.

    Args:
        annotation: The annotation.
    """
    annotation = _unwrap(annotation)
    origin, args = _split(annotation)
    if origin is typing.Literal:
        return True
    if origin in (typing.Union, types.UnionType) or (origin in _PLAIN and args):
        return all(each is Ellipsis or is_plain_annotation(each) for each in args)
    return origin is None or origin in _PLAIN


def _split(annotation: Annotation) -> tuple[Any, tuple[Annotation, ...]]:
    """Return the class or special form of an annotation, and its arguments."""
    return typing.get_origin(annotation) or annotation, typing.get_args(annotation)


def read_hints(target: Any) -> dict[str, Annotation]:
    """Return the annotations of a class or function, without those that cannot be resolved.

    Names that only type checkers see, or that are local to a function, cannot.

    Args:
        target: The class, with its bases, or the function.
    """
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # an annotation may be any expression
        pass
    found: dict[str, Annotation] = {}
    for owner in reversed(target.__mro__) if isinstance(target, type) else [target]:
        module = sys.modules.get(str(getattr(owner, "__module__", None)))
        names = getattr(owner, "__globals__", None) or vars(module or types)
        given = owner.__dict__ if isinstance(owner, type) else {}
        own = given.get("__annotations__") or getattr(owner, "__annotations__", {})
        for name, each in own.items():
            found.update(_read_hint(name, each, names))
    return found


def _read_hint(name: str, annotation: Annotation, names: dict[str, Any]) -> dict[str, Annotation]:
    """Return an annotation by its name, or nothing if it cannot be resolved."""
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    try:
        return typing.get_type_hints(holder, names, include_extras=True)
    except Exception:
        return {}


def _unwrap(annotation: Annotation) -> Annotation:
    while True:
        name = getattr(typing.get_origin(annotation), "__name__", None) or getattr(
            typing.get_origin(annotation), "_name", None
        )
        if hasattr(annotation, "__metadata__"):  # Annotated
            annotation = annotation.__origin__
        elif isinstance(annotation, dataclasses.InitVar):
            annotation = annotation.type
        elif name in _WRAPPERS:
            annotation = typing.get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def _check_union(
    value: object, args: tuple[Annotation, ...], path: tuple[str, ...]
) -> Iterator[Mismatch]:
    found = [list(find_mismatches(value, each, path)) for each in args]
    if not all(found):
        return
    # Of a dictionary or list, the alternative for one says more than that it is none of all.
    inner = [
        each
        for each in found
        if any(
            len(mismatch.path) > len(path) or not mismatch.message.startswith("must be")
            for mismatch in each
        )
    ]
    if inner:
        yield from min(inner, key=len)
    else:
        names = dict.fromkeys(_describe(each) for each in args)
        yield Mismatch(path, f"must be {' or '.join(names)}, not {_show(value)}")


def _check_class(
    value: object, kind: type, args: tuple[Annotation, ...], path: tuple[str, ...]
) -> Iterator[Mismatch]:
    if not _is_instance(value, kind):
        yield Mismatch(path, f"must be {_describe(kind)}, not {_show(value)}")
    elif kind is tuple and args and args[-1] is not Ellipsis and isinstance(value, _SEQUENCES):
        expected = [] if args == ((),) else list(args)
        if len(value) != len(expected):
            yield Mismatch(path, f"must have {len(expected)} items, not {len(value)}")
        else:
            for index, (item, each) in enumerate(zip(value, expected, strict=True)):
                yield from find_mismatches(item, each, (*path, str(index)))
    elif isinstance(value, Mapping) and len(args) == 2:
        for key, item in value.items():
            for mismatch in find_mismatches(key, args[0], path):
                yield Mismatch((*path, str(key)), f"the key {mismatch.message}")
            yield from find_mismatches(item, args[1], (*path, str(key)))
    elif isinstance(value, _SEQUENCES) and args and isinstance(kind, type):
        for index, item in enumerate(value):
            yield from find_mismatches(item, args[0], (*path, str(index)))


def _is_instance(value: object, kind: type) -> bool:
    if kind is float and isinstance(value, int):
        return True
    if kind is type or kind.__name__ == "Callable":
        return callable(value)
    if issubclass(kind, Enum):
        members = [member.value for member in kind]
        return isinstance(value, kind) or value in members or value in kind.__members__
    if isinstance(value, str) and issubclass(kind, os.PathLike):
        return True
    if isinstance(value, _SEQUENCES) and kind in _SEQUENCES:
        return True  # data formats have lists alone
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that is not checked at run time
        return True


def _is_schema(kind: object) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or typing.is_typeddict(kind))


def _check_fields(value: object, kind: type, path: tuple[str, ...]) -> Iterator[Mismatch]:
    if not typing.is_typeddict(kind) and isinstance(value, kind):
        return
    if not isinstance(value, Mapping):
        yield Mismatch(
            path, f"must be a dict with {', '.join(_read_hints(kind))}, not {_show(value)}"
        )
        return
    hints = _read_hints(kind)
    for key, item in value.items():
        if key in hints:
            yield from find_mismatches(item, hints[key], (*path, str(key)))
        else:
            known = f"; known keys are {', '.join(hints)}" if hints else ""
            near = _hint(str(key), hints) or known
            yield Mismatch((*path, str(key)), f"unknown key {str(key)!r}{near}")
    for name in _read_required(kind):
        if name not in value:
            yield Mismatch(path, f"missing key {name!r}, {_describe(hints.get(name, Any))}")


def _read_hints(kind: Any) -> dict[str, Annotation]:
    hints = read_hints(kind)
    if dataclasses.is_dataclass(kind):
        names = [each.name for each in dataclasses.fields(kind) if each.init]
    else:
        known = kind.__required_keys__ | kind.__optional_keys__
        names = [*(each for each in hints if each in known), *sorted(known - hints.keys())]
    return {name: hints.get(name, Any) for name in names}


def _read_required(kind: Any) -> list[str]:
    if not dataclasses.is_dataclass(kind):
        return sorted(kind.__required_keys__)
    missing = dataclasses.MISSING
    return [
        each.name
        for each in dataclasses.fields(kind)
        if each.init and each.default is missing and each.default_factory is missing
    ]


def _describe(annotation: Annotation) -> str:
    annotation = _unwrap(annotation)
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Any:
        return "any value"
    kind, args = _split(annotation)
    if kind in (typing.Union, types.UnionType):
        return " or ".join(_describe(each) for each in args)
    if kind is typing.Literal:
        return " or ".join(map(repr, args))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(repr(member.value) for member in kind)
    name = getattr(kind, "__name__", str(kind))
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _hint(name: str, known: collections.abc.Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _show(value: object) -> str:
    """Return a value for a message; of others than scalars the type."""
    if value is None or isinstance(value, (bool, int, float, str)):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, (dict, *_SEQUENCES)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
