"""Lazy names of alias modules, with errors for names that are missing in eng."""

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
    """Create ``__all__``, ``__getattr__`` and ``__dir__`` of a module that re-exports names.

    A name is looked up on first access, and is the same object in both modules.

    Args:
        module: The ``__name__`` of the module.
        homes: Names by the module that defines them, separated by spaces. ``a=b`` exports ``b`` as
            ``a``.
        missing: Names that eng does not have, each with an alternative or an empty text.
        modules: Names of submodules, which are imported on first access.

    Returns:
        The public names, and the two functions.
    """
    origins = origins_in(homes or {})
    inside = modules.split()
    _import_hidden(module, origins, inside)

    def __getattr__(name: str) -> Any:  # noqa: N807 - named by PEP 562
        if name in origins:
            home, there = origins[name]
            value = getattr(import_module(home), there)
            vars(sys.modules[module])[name] = value
            return value
        if name in inside:
            return import_module(f"{module}.{name}")
        message = _explain_missing(module, name, [*origins, *inside], missing or {})
        if _is_import_from(sys._getframe(1)):
            raise ImportError(message, name=module)
        raise AttributeError(message)

    def __dir__() -> list[str]:  # noqa: N807
        names = vars(sys.modules[module])
        return sorted({*names, *origins, *inside})

    return sorted(n for n in origins if not n.startswith("_")), __getattr__, __dir__


def origins_in(homes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Parse the names of modules.

    Args:
        homes: See :func:`offer`.

    Returns:
        Defining module and original name, by name.
    """
    origins = {}
    for home, names in homes.items():
        for entry in names.split():
            name, _, there = entry.partition("=")
            origins[name] = (home, there or name)
    return origins


def _import_hidden(module: str, origins: Mapping[str, object], inside: Iterable[str]) -> None:
    """Import the submodules that have the name of a function.

    An import sets the submodule as an attribute of its package. If it came later, it would hide
    the function: ``mmengine.utils.dl_utils.collect_env`` is both.
    """
    for name in inside:
        if name in origins:
            import_module(f"{module}.{name}")
            del vars(sys.modules[module])[name]


def _explain_missing(
    module: str, name: str, known: Iterable[str], missing: Mapping[str, str]
) -> str:
    """Describe a missing name, with an alternative or a similar name."""
    if name.startswith("__"):  # accessed by the interpreter and tools
        return f"module {module!r} has no attribute {name!r}"
    if name in missing:
        message = f"eng has no {name!r}, unlike {module!r} of MMEngine"
    else:
        message = f"module {module!r} has no attribute {name!r}"
    if missing.get(name):
        return f"{message}: {missing[name]}"
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"{message}; did you mean {near[0]!r}?" if near else message


def _is_import_from(frame: FrameType) -> bool:
    """Whether a frame executes ``from module import name``.

    There, Python replaces an AttributeError with an ImportError without our message.
    """
    from opcode import opmap

    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and code[frame.f_lasti] == opmap["IMPORT_FROM"]
