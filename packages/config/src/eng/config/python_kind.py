"""Distinguish lazy configs from those that run unchanged."""

from __future__ import annotations

import ast
import builtins
import sys
from enum import Enum

from .errors import ConfigParsingError
from .origins import Origin
from .python_file import assigns_base

__all__ = ["Kind", "find_kind", "is_library", "is_read_base"]

_CONFIG_MODULES = ("mmengine.config", "eng.config")
_TOP_MODULES = ("mmengine", "eng.all")
_CONFIG_NAMES = ("Config", "ConfigDict", "DictAction", "read_base")


class Kind(Enum):
    """Kind of a config in Python.

    Attributes:
        TEXT: It runs unchanged.
        LAZY: Its bases are imported in ``with read_base():``, and other imports are delayed.
        IMPORTS: It has no bases and imports libraries: it is lazy unless it uses them.
    """

    TEXT = "text"
    LAZY = "lazy"
    IMPORTS = "imports"


def find_kind(tree: ast.Module, name: str) -> Kind:
    """Return the kind of a config.

    Args:
        tree: The parsed file.
        name: Path of the file, for messages.

    Raises:
        ConfigParsingError: It has bases in both ways, or a ``with`` of an unknown name.
    """
    nodes = list(ast.walk(tree))
    blocks = [node for node in nodes if is_read_base(node)]
    base = next((each for each in tree.body if assigns_base(each)), None)
    if base is not None and blocks:
        raise ConfigParsingError(
            "a config must have its bases either in _base_ or in `with read_base():`, not both",
            Origin(name, base.lineno),
        )
    if base is not None:
        return Kind.TEXT
    for node in nodes:
        if isinstance(node, ast.With):
            _check_with(node, nodes, name)
    if blocks or any(isinstance(node, ast.ImportFrom) and node.level for node in nodes):
        return Kind.LAZY
    tried = {id(each) for node in nodes if isinstance(node, ast.Try) for each in ast.walk(node)}
    imports = [node for node in nodes if _imports_library(node)]
    # A config with an import in `try` depends on whether the import works.
    return Kind.IMPORTS if imports and not any(id(node) in tried for node in imports) else Kind.TEXT


def is_read_base(node: ast.AST) -> bool:
    """Return whether a statement is ``with read_base():``."""
    return isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call)
        and _find_last_name(item.context_expr.func) == "read_base"
        for item in node.items
    )


def is_library(module: str) -> bool:
    """Return whether a module is neither of the standard library nor of this package."""
    of_configs = any(f"{module}.".startswith(f"{name}.") for name in _CONFIG_MODULES)
    return not of_configs and module.partition(".")[0] not in sys.stdlib_module_names


def is_of_configs(node: ast.ImportFrom) -> bool:
    """Return whether a statement imports names of this package, such as ``read_base``."""
    module = node.module or ""
    if any(f"{module}.".startswith(f"{name}.") for name in _CONFIG_MODULES):
        return True
    return module in _TOP_MODULES and all(each.name in _CONFIG_NAMES for each in node.names)


def _imports_library(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(is_library(each.name) for each in node.names)
    return (
        isinstance(node, ast.ImportFrom)
        and not is_of_configs(node)
        and is_library(str(node.module))
    )


def _check_with(node: ast.With, nodes: list[ast.AST], name: str) -> None:
    if is_read_base(node):
        return
    known = {each.id for each in nodes if isinstance(each, ast.Name) and _is_stored(each)}
    for each in nodes:
        if isinstance(each, (ast.FunctionDef, ast.ClassDef)):
            known.add(each.name)
        elif isinstance(each, (ast.Import, ast.ImportFrom)):
            known |= {(alias.asname or alias.name).partition(".")[0] for alias in each.names}
        elif isinstance(each, ast.arg):
            known.add(each.arg)
    for item in node.items:
        used = [each for each in ast.walk(item.context_expr) if isinstance(each, ast.Name)]
        for each in used[:1]:
            if each.id not in known and not hasattr(builtins, each.id):
                raise ConfigParsingError(
                    f"bases are imported in `with read_base():`, but got "
                    f"`with {ast.unparse(item.context_expr)}:`",
                    Origin(name, node.lineno),
                )


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _find_last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
