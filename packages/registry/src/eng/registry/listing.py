"""List registered classes and functions with their packages and summaries."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from .discovery import import_advertised
from .part_config import Registered
from .registry import Registry

_MARKUP = re.compile(r"(?::\w+)*:?`+~?([^`]+)`+")

__all__ = ["RegisteredName", "list_registered"]


@dataclass(frozen=True)
class RegisteredName:
    """A name of a registry.

    Attributes:
        name: The name, with the scope of its registry unless that is the root.
        target: The class or function.
        package: Package that defines it, such as ``'eng-hooks'`` or ``'mmdet'``.
        summary: First line of its docstring; empty without one.
    """

    name: str
    target: Registered
    package: str
    summary: str


def list_registered(registry: Registry) -> list[RegisteredName]:
    """List the names of a registry and of those below it.

    Modules that installed packages advertise are imported first.

    Args:
        registry: The registry.

    Returns:
        The names, by scope and in alphabetical order.
    """
    import_advertised(registry.root.name)
    found: list[RegisteredName] = []
    left = [registry]
    while left:
        node = left.pop(0)
        prefix = "" if node is registry.root else f"{node.scope}."
        for name, target in sorted(node.module_dict.items()):
            found.append(_describe(f"{prefix}{name}", target))
        left += [child for _, child in sorted(node.children.items())]
    return found


def _describe(name: str, target: Registered) -> RegisteredName:
    parts = str(getattr(target, "__module__", "")).split(".")
    of_engine = parts[0] == "eng" and len(parts) > 1
    package = f"eng-{parts[1].replace('_', '-')}" if of_engine else parts[0]
    own = vars(target).get("__doc__") if isinstance(target, type) else target.__doc__
    lines = inspect.cleandoc(own or "").splitlines()
    # Without the markup of references and of code.
    summary = _MARKUP.sub(r"\1", lines[0]) if lines else ""
    return RegisteredName(name, target, package, summary)
