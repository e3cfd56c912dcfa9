"""Origins of config values: file, line, code or command line."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from eng.utils import override

from .types import ConfigValue

__all__ = [
    "CODE",
    "COMMAND_LINE",
    "UNPACK",
    "Origin",
    "Origins",
    "Unpacked",
    "Values",
    "origin_of",
    "trace",
]

#: Name of the function that a Python config calls on each value that it unpacks or adds. No name
#: in a config can equal this one or those of the other functions put into configs.
UNPACK = "<unpack>"


class Origin(NamedTuple):
    """Source of a value: a file and line, code or the command line.

    Attributes:
        file: File that sets it, or ``None``.
        line: Line in the file, from 1; ``None`` if unknown.
        by: Source if no file sets it: ``"code"`` or ``"the command line"``.
    """

    file: str | None
    line: int | None = None
    by: str = "code"

    @override
    def __str__(self) -> str:
        if self.file is None:
            return f"set by {self.by}"
        return self.file if self.line is None else f"{self.file}:{self.line}"


CODE = Origin(None)
COMMAND_LINE = Origin(None, by="the command line")

#: Origins of the values of a config, by the keys that lead to them.
Origins = dict[tuple[str, ...], Origin]


def origin_of(origins: Origins, path: tuple[str, ...], default: Origin) -> Origin:
    """Return the origin of a value: its own, or that of the nearest value that contains it.

    Args:
        origins: Known origins.
        path: Keys that lead to the value.
        default: Origin if none is known.
    """
    while path and path not in origins:
        path = path[:-1]
    return origins.get(path, default)


class Values(NamedTuple):
    """Values of a config by key, with their origins."""

    values: dict[str, ConfigValue]
    origins: Origins


class Unpacked(NamedTuple):
    """Keys or indices of ``*value`` or ``**value``, and their known origins."""

    keys: list[ConfigValue]
    origins: Mapping[object, Origin]


def trace(
    node: ast.expr,
    name: str,
    path: tuple[str, ...],
    line: int,
    origins: Origins,
    unpacked: Mapping[int, Unpacked] | None = None,
) -> None:
    """Record the line of a value in a Python file, and of the literal values inside it.

    Args:
        node: Expression of the value.
        name: Path of the file.
        path: Keys that lead to the value.
        line: Line of the value.
        origins: Origins by path, which are added to.
        unpacked: Results of the calls of :data:`UNPACK` in it, by their number.
    """
    origins[path] = Origin(name, line)

    def note(value: ast.expr, key: object, line: int) -> None:
        trace(value, name, (*path, str(key)), line, origins, unpacked)

    def note_unpacked(found: Unpacked, line: int, shift: int | None = None) -> None:
        for key in found.keys:
            at = (*path, str(key if shift is None else key + shift))
            origins[at] = found.origins.get(key, Origin(name, line))

    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        for item in [*(ast.keyword(None, value) for value in node.args), *node.keywords]:
            if item.arg is not None:
                note(item.value, item.arg, item.lineno)
            elif found := _find_unpacked(item.value, unpacked):
                note_unpacked(found, item.value.lineno)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                note(value, key.value, key.lineno)
            elif key is None and (found := _find_unpacked(value, unpacked)):
                note_unpacked(found, value.lineno)
    elif items := _list_items(node):
        index = 0
        for value in items:
            if not isinstance(value, ast.Starred):
                note(value, index, value.lineno)
                index += 1
            elif found := _find_unpacked(value.value, unpacked):
                note_unpacked(found, value.lineno, index)
                index += len(found.keys)
            else:  # the indices of what follows are unknown
                break


def _find_unpacked(node: ast.expr, unpacked: Mapping[int, Unpacked] | None) -> Unpacked | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == UNPACK:
        number = node.args[1]
        if unpacked and isinstance(number, ast.Constant) and isinstance(number.value, int):
            return unpacked.get(number.value)
    return None


def _list_items(node: ast.expr) -> list[ast.expr]:
    """Return the items of a list or tuple; those of ``a + [b]`` are those of ``[*a, b]``."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_list_items(node.left), *_list_items(node.right)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == UNPACK:
        return [ast.copy_location(ast.Starred(node, ast.Load()), node)]
    return []
