"""Distribute the arguments of a call to the steps that take them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

__all__ = ["STEPS", "check_names", "dispatch"]

#: The steps of a call, in their order.
STEPS = ("preprocess", "forward", "visualize", "postprocess")


def check_names(owner: type) -> None:
    """Check the names of arguments that a class gives to each step.

    Raises:
        AssertionError: If they are not sets, or a name is in two of them.
    """
    taken: dict[str, str] = {}
    for step in STEPS:
        attribute = f"{step}_kwargs"
        names = getattr(owner, attribute)
        if not isinstance(names, set):
            raise AssertionError(f"{owner.__name__}.{attribute} must be a set, not {names!r}")
        for name in names:
            if name in taken:
                raise AssertionError(
                    f"{owner.__name__}.{attribute} has {name!r}, which is in {taken[name]} as well"
                )
            taken[name] = attribute


def dispatch(arguments: Mapping[str, Any], names: Mapping[str, set[str]]) -> tuple[Any, ...]:
    """Split arguments by the step that takes them.

    Args:
        arguments: The arguments.
        names: Names by step.

    Returns:
        A dict for each step, in the order of the steps.

    Raises:
        ValueError: If no step takes an argument.
    """
    known = set().union(*names.values())
    unknown = set(arguments) - known
    if unknown:
        steps = ", ".join(f"`{step}`" for step in names)
        raise ValueError(f"unknown argument {unknown} for {steps}{_hint(unknown, known)}")
    return tuple(
        {name: value for name, value in arguments.items() if name in taken}
        for taken in names.values()
    )


def _hint(unknown: set[str], known: set[str]) -> str:
    accepted = f"; accepted are {', '.join(sorted(known))}" if known else "; none is accepted"
    closest = {c for name in unknown for c in difflib.get_close_matches(name, known, 1)}
    return f"{accepted}. Did you mean {', '.join(sorted(closest))}?" if closest else accepted
