"""Find parts of a model by the names of modules and of their classes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from eng.utils import ArgumentValueError, UserError

__all__ = ["UnknownPartError", "find_parts", "match_names"]

#: Modules that only hold others: they have no forward pass.
_CONTAINERS = (nn.ModuleList, nn.ModuleDict)


class UnknownPartError(UserError, ArgumentValueError, AttributeError):
    """A model has no part of a name."""


def find_parts(model: nn.Module, names: Sequence[str], setting: str = "names") -> list[nn.Module]:
    """Find parts of a model.

    Args:
        model: The model.
        names: Dotted names of modules, where ``*`` stands for any one of them (``blocks.*``), or
            names of classes. A list or dict of modules stands for its modules.
        setting: Name of the setting, for the error.

    Returns:
        The parts, each once, in the order of the model.

    Raises:
        UnknownPartError: If a name matches none. The message has the closest name.

    Examples:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
        >>> find_parts(model, ["Linear"]) == [model[0], model[2]]
        True
    """
    found: dict[nn.Module, None] = {}
    for name in names:
        for part in match_names(model, name, setting, with_classes=True).values():
            inner = part.children() if isinstance(part, _CONTAINERS) else [part]
            found.update(dict.fromkeys(inner))
    order = {module: place for place, module in enumerate(model.modules())}
    return sorted(found, key=order.__getitem__)


def match_names(
    model: nn.Module, pattern: str, setting: str, with_classes: bool = False
) -> dict[str, nn.Module]:
    """Find the modules of a model whose names match a pattern.

    Args:
        model: The model, which is not included.
        pattern: A dotted name, where ``*`` stands for any one of its parts.
        setting: Name of the setting, for the error.
        with_classes: Whether the name of a class matches its instances. Defaults to False.

    Returns:
        Modules by name.

    Raises:
        UnknownPartError: If none matches.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    found = {name: module for name, module in modules.items() if _matches(name, pattern)}
    if not found and with_classes:
        found = {n: m for n, m in modules.items() if pattern in _name_classes(m)}
    if found:
        return found
    classes = {type(module).__name__ for module in modules.values()} if with_classes else set()
    raise UnknownPartError(
        f"{setting}: {type(model).__name__} has no part {pattern!r}"
        f"{_describe_closest(pattern, modules, classes)}"
    )


def _matches(name: str, pattern: str) -> bool:
    parts, patterns = name.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _name_classes(module: nn.Module) -> tuple[str, str]:
    kind = type(module)
    return kind.__name__, f"{kind.__module__}.{kind.__qualname__}"


def _describe_closest(pattern: str, modules: dict[str, nn.Module], classes: set[str]) -> str:
    # Of numbered modules, the pattern of all: a plan is written by patterns.
    patterns = {
        ".".join("*" if part.isdigit() else part for part in name.split(".")) for name in modules
    }
    close = difflib.get_close_matches(pattern, [*patterns, *modules, *classes], n=1)
    if close:
        return f": did you mean {close[0]!r}?"
    own = dict.fromkeys(name.partition(".")[0] for name in modules)
    return f"; its parts are {', '.join(own)}"
