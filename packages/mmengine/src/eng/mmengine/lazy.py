"""Lazy names of a module of the alias, with errors that say what eng lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import FrameType
from typing import Any

__all__ = ["offer", "origins_in"]


def offer(
    module: str,
    homes: Mapping[str, str] | None = None,
    missing: Mapping[str, str] | None = None,
    modules: str = "",
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__all__``, ``__getattr__`` and ``__dir__`` of a module with the names of others.

    A name is looked up when it is first asked for, and is the same object there and here.

    Args:
        module: Name of the module, its ``__name__``.
        homes: Modules that have the names, each with its names, separated by blanks. ``a=b`` stands
            for ``b`` there, which is ``a`` here.
        missing: Names that people may ask for though eng lacks them, each with what to do instead,
            or an empty text.
        modules: Names of its sub-modules, which are imported when they are first asked for.

    Returns:
        Its public names, and the two functions.
    """
    origins = origins_in(homes or {})
    inside = modules.split()
    _import_hidden(module, origins, inside)

    def __getattr__(name: str) -> Any:  # noqa: N807 - what PEP 562 calls them
        if name in origins:
            home, there = origins[name]
            value = getattr(import_module(home), there)
            vars(sys.modules[module])[name] = value
            return value
        if name in inside:
            return import_module(f"{module}.{name}")
        message = _why_not(module, name, [*origins, *inside], missing or {})
        if _comes_from_an_import(sys._getframe(1)):
            raise ImportError(message, name=module)
        raise AttributeError(message)

    def __dir__() -> list[str]:  # noqa: N807
        names = vars(sys.modules[module])
        return sorted({*names, *origins, *inside})

    return sorted(n for n in origins if not n.startswith("_")), __getattr__, __dir__


def origins_in(homes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Read which names modules have.

    Args:
        homes: As :func:`offer` takes them.

    Returns:
        Each name with the module that has it, and its name there.
    """
    origins = {}
    for home, names in homes.items():
        for entry in names.split():
            name, _, there = entry.partition("=")
            origins[name] = (home, there or name)
    return origins


def _import_hidden(module: str, origins: Mapping[str, object], inside: Iterable[str]) -> None:
    """Import the sub-modules that have the name of a function.

    Importing one makes it an attribute of its package, which would hide the function if it came
    later: ``mmengine.utils.dl_utils.collect_env`` is both.
    """
    for name in inside:
        if name in origins:
            import_module(f"{module}.{name}")
            del vars(sys.modules[module])[name]


def _why_not(module: str, name: str, known: Iterable[str], missing: Mapping[str, str]) -> str:
    """Say that a module has not got a name, whether the original has, and what is nearest."""
    if name.startswith("__"):  # asked by the interpreter and by tools, which read no message
        return f"module {module!r} has no attribute {name!r}"
    if name in missing:
        message = f"eng has no {name!r}, which {module!r} of the original offers"
    else:
        message = f"module {module!r} has no attribute {name!r}"
    if missing.get(name):
        return f"{message}: {missing[name]}"
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"{message}; the nearest name is {near[0]!r}" if near else message


def _comes_from_an_import(frame: FrameType) -> bool:
    """Whether a frame executes ``from module import name``.

    Python replaces an AttributeError by an ImportError of its own there, without our message.
    """
    from opcode import opmap

    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and code[frame.f_lasti] == opmap["IMPORT_FROM"]
