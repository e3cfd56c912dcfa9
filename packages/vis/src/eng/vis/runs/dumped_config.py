"""Read the config that a run dumped, without executing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from eng.config import Config, ConfigError

__all__ = ["DumpedValue", "read_dumped_config"]


class DumpedValue(NamedTuple):
    """A value of a config: its text as Python writes it, and its place."""

    text: str
    origin: str


def read_dumped_config(file: Path) -> dict[str, DumpedValue]:
    """Read the values of a dumped config by dotted key.

    A Python dump is parsed, not executed: a run may be of somebody else, and a dump may have values
    that cannot be evaluated, such as tensors.

    Args:
        file: The dump.

    Raises:
        ValueError: If it cannot be parsed.
    """
    if file.suffix == ".py":
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise ValueError(f"{file}, line {error.lineno}: {error.msg}") from error
        found = {}
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                for key, node in _flatten(statement.value, statement.targets[0].id):
                    found[key] = DumpedValue(ast.unparse(node), f"{file}:{node.lineno}")
        return found
    try:
        config = Config.fromfile(file, import_custom_modules=False, allow_code=False)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return {
        key: DumpedValue(repr(value), str(file)) for key, value in _flatten_plain(config.to_dict())
    }


def _flatten(node: ast.expr, key: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the values inside of a literal that are not containers; empty containers are values."""
    items = list(_list_items(node))
    if not items:
        yield key, node
    for part, inner in items:
        yield from _flatten(inner, f"{key}.{part}")


def _list_items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, (ast.List, ast.Tuple)):
        yield from ((str(place), item) for place, item in enumerate(node.elts))
    elif isinstance(node, ast.Dict):
        for name, item in zip(node.keys, node.values, strict=True):
            yield _name_key(name), item
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        for argument in node.args:
            yield from _list_items(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                yield from _list_items(keyword.value)
            else:
                yield keyword.arg, keyword.value


def _name_key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "**" if node is None else ast.unparse(node)


def _flatten_plain(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    items: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    if not items:
        yield key, value
    for part, item in items:
        yield from _flatten_plain(item, f"{key}.{part}" if key else str(part))
