"""Origins of config values: file, line, code or command line."""

from __future__ import annotations

import ast
from typing import NamedTuple

__all__ = ["CODE", "COMMAND_LINE", "Origin", "Origins", "origin_of", "trace"]


class Origin(NamedTuple):
    """Where a value comes from.

    Attributes:
        file: File that sets it; ``None`` where no file does.
        line: Line in the file, from 1; ``None`` where it is unknown.
        by: What sets it where no file does: ``"code"`` or ``"the command line"``.
    """

    file: str | None
    line: int | None = None
    by: str = "code"

    def __str__(self) -> str:
        if self.file is None:
            return f"set by {self.by}"
        return self.file if self.line is None else f"{self.file}:{self.line}"


CODE = Origin(None)
COMMAND_LINE = Origin(None, by="the command line")

#: Origins of the values of a config, by the keys that lead to them.
Origins = dict[tuple[str, ...], Origin]


def origin_of(origins: Origins, path: tuple[str, ...], default: Origin) -> Origin:
    """Return the origin of a value: its own, else that of the nearest value around it.

    Args:
        origins: Known origins.
        path: Keys that lead to the value.
        default: Where no value around it has one.
    """
    while path and path not in origins:
        path = path[:-1]
    return origins.get(path, default)


def trace(node: ast.expr, name: str, path: tuple[str, ...], line: int, origins: Origins) -> None:
    """Note the line of a value in a Python file, and of those in it where they are written out.

    Args:
        node: The value, as an expression.
        name: The file.
        path: Keys that lead to the value.
        line: The line.
        origins: The origins so far; they are added to.
    """
    origins[path] = Origin(name, line)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        for item in node.keywords:
            if item.arg is not None:
                trace(item.value, name, (*path, item.arg), item.lineno, origins)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                trace(value, name, (*path, str(key.value)), key.lineno, origins)
    elif isinstance(node, (ast.List, ast.Tuple)):
        for index, value in enumerate(node.elts):
            trace(value, name, (*path, str(index)), value.lineno, origins)
