"""Dispatch the arguments of a call to its steps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from .types import Arguments

__all__ = ["STEPS", "check_names", "dispatch"]

#: The steps of a call, in their order.
STEPS = ("preprocess", "forward", "visualize", "postprocess")


def check_names(owner: type) -> None:
    """Check the names of arguments of each step of a class.

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
                    f"duplicate argument {name!r} in {owner.__name__}.{attribute} and {taken[name]}"
                )
            taken[name] = attribute


def dispatch(
    arguments: Mapping[str, object], names: Mapping[str, set[str]]
) -> tuple[Arguments, ...]:
    """Split arguments by the step that accepts them.

    Args:
        arguments: The arguments.
        names: Names by step.

    Returns:
        A dict for each step, in the order of the steps.

    Raises:
        ValueError: If an argument is unknown to all steps.
    """
    known = set().union(*names.values())
    unknown = set(arguments) - known
    if unknown:
        steps = ", ".join(f"`{step}`" for step in names)
        raise ValueError(f"unknown argument {unknown} for {steps}{_make_hint(unknown, known)}")
    return tuple(
        {name: value for name, value in arguments.items() if name in taken}
        for taken in names.values()
    )


def _make_hint(unknown: set[str], known: set[str]) -> str:
    accepted = f"; accepted: {', '.join(sorted(known))}" if known else "; none is accepted"
    closest = {c for name in unknown for c in difflib.get_close_matches(name, known, 1)}
    return f"{accepted}. Did you mean {', '.join(sorted(closest))}?" if closest else accepted
