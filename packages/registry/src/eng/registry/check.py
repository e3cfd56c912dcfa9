"""Check the config of a part before it is built."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from eng.utils import find_mismatches, is_plain_annotation

from .parameters import Parameters, read_parameters
from .part_config import PartConfig
from .registry import NotRegisteredError, Registry

__all__ = ["Problem", "check_arguments", "check_part"]

_RESERVED = ("type", "_scope_")
_MOST_NAMES = 12


class Problem(NamedTuple):
    """A mistake in the config of a part.

    Attributes:
        path: Keys that lead to it in the config of the part.
        message: The mistake in words.
        is_certain: Whether building the part would fail.
        is_value: Whether the message is about the value at the path, not about the part.
    """

    path: tuple[str, ...]
    message: str
    is_certain: bool = True
    is_value: bool = False


def check_part(
    cfg: PartConfig,
    registry: Registry,
    *,
    given: Collection[str] = (),
    taken: Collection[str] = (),
) -> list[Problem]:
    """Look up the type of a part, and hold its arguments against the signature.

    Nothing is built. Classes whose further arguments are unknown accept any.

    Args:
        cfg: Config of the part. A scope under ``_scope_`` is respected.
        registry: Registry that would build it.
        given: Arguments that the builder adds.
        taken: Arguments that the builder removes.

    Returns:
        The problems, in the order of the config.

    Raises:
        Exception: Errors of modules that are imported to find the type.
    """
    if "type" not in cfg:
        return [Problem((), "a 'type' is missing")]
    try:
        target = registry.type_of(cfg)
    except NotRegisteredError as error:
        return [Problem(("type",), str(error))]
    if not callable(target):
        problem = f"type must be a name or a class, not {target!r}"
        return [Problem(("type",), problem)]
    args = {key: value for key, value in cfg.items() if key not in (*_RESERVED, *taken)}
    return check_arguments(target, args, given=given)


def check_arguments(
    target: Any,
    args: PartConfig,
    *,
    given: Collection[str] = (),
    only_names: bool = False,
    parameters: Parameters | None = None,
) -> list[Problem]:
    """Hold arguments against the signature of a class or function.

    Args:
        target: The class or function.
        args: The arguments.
        given: Arguments that are added when it is called.
        only_names: Whether more arguments are added when it is called, so that none is missing.
        parameters: Arguments that it takes. Default: read from its signature.

    Returns:
        The problems.
    """
    known = read_parameters(target) if parameters is None else parameters
    owner = getattr(target, "__name__", None) or type(target).__name__
    found = list(_check_names(owner, known, args))
    for name, value in args.items():
        if name in known.named:
            found += _check_value(value, name, known.named[name])
    proposed = " ".join(each.message for each in found)
    missing = [n for n in known.required if n not in args and n not in given]
    missing = [repr(name) for name in missing if f"mean {name!r}?" not in proposed]
    if missing and not only_names:
        plural = "s" if len(missing) > 1 else ""
        message = f"{owner} needs the argument{plural} {' and '.join(missing)}"
        found.append(Problem((), message))
    return found


def _check_value(value: object, name: str, parameter: inspect.Parameter) -> list[Problem]:
    # A default of None means that None is accepted, whatever the annotation.
    if value is parameter.default or not _is_checked(value, parameter.annotation):
        return []
    mismatches = find_mismatches(value, parameter.annotation)
    return [Problem((name, *each.path), each.message, False, True) for each in mismatches]


def _is_checked(value: object, annotation: object) -> bool:
    """Return whether a value of a config must have the type of an annotation.

    Only scalars: code is often lenient, or annotated carelessly, about lists and None. Text is
    neither a number nor an instance of a class.
    """
    if annotation is inspect.Parameter.empty or not isinstance(value, (bool, int, float, str)):
        return False
    kinds = typing.get_args(annotation) or (annotation,)
    if type(value) is float and int in kinds:
        return False  # whose default is 0, often
    is_number = all(isinstance(each, type) for each in kinds) and bool({int, float} & {*kinds})
    return is_plain_annotation(annotation) or (isinstance(value, str) and is_number)


def _check_names(owner: str, known: Parameters, args: Iterable[str]) -> Iterable[Problem]:
    for name in args:
        if name in known.named or not isinstance(name, str):
            continue
        near = _find_closest(name, list(known.named), 0.75 if known.is_open else 0.5)
        if near is not None:
            hint = f"; did you mean {near!r}?"
        elif known.is_open:
            continue
        elif known.named:
            shown = ", ".join(list(known.named)[:_MOST_NAMES])
            hint = f"; it takes {shown}{', ...' if len(known.named) > _MOST_NAMES else ''}"
        else:
            hint = "; it takes none"
        yield Problem((name,), f"{owner} has no argument {name!r}{hint}", not known.is_open)


def _find_closest(name: str, known: list[str], cutoff: float) -> str | None:
    same = [each for each in known if each.lower() == name.lower()]
    near = same or difflib.get_close_matches(name, known, 1, cutoff)
    return near[0] if near else None
