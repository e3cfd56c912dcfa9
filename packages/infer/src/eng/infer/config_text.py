"""Read a Python config as data, without running it."""

from __future__ import annotations

import ast
import datetime
import pathlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["read_config_text"]

#: What a text may call. All of them only hold what they are given.
_CALLABLE: Mapping[str, Callable[..., Any]] = {
    "collections.OrderedDict": OrderedDict,
    "complex": complex,
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "datetime.timedelta": datetime.timedelta,
    "dict": dict,
    "float": float,
    "frozenset": frozenset,
    "list": list,
    "pathlib.Path": pathlib.Path,
    "pathlib.PosixPath": pathlib.Path,
    "pathlib.WindowsPath": pathlib.Path,
    "pathlib.PurePosixPath": pathlib.PurePosixPath,
    "pathlib.PureWindowsPath": pathlib.PureWindowsPath,
    "range": range,
    "set": set,
    "tuple": tuple,
}
Imports: TypeAlias = dict[str, str]


def read_config_text(text: str) -> dict[str, Any]:
    r"""Read the text of a config, as a run writes it into its checkpoints.

    Such a text comes from whoever made the checkpoint, so nothing of it runs. It assigns plain
    values, containers, paths and dates. An imported class or function becomes its dotted path,
    which registries accept in its place.

    Args:
        text: The text.

    Returns:
        The values by name.

    Raises:
        ValueError: If the text holds anything else; the message says in which line.

    Examples:
        >>> read_config_text("import torch\nmodel = dict(type=torch.nn.Linear, in_features=2)")
        {'model': {'type': 'torch.nn.Linear', 'in_features': 2}}
    """
    try:
        return _values(ast.parse(text).body)
    except SyntaxError as error:
        raise ValueError(f"invalid Python in line {error.lineno}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:  # of Python's parser as well
        raise ValueError("values are nested too deeply") from error


def _values(statements: list[ast.stmt]) -> dict[str, Any]:
    imports: Imports = {}
    values: dict[str, Any] = {}
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            imports.update(_imported(statement))
        elif isinstance(statement, ast.Assign):
            name = _assigned_name(statement)
            try:
                values[name] = _value(statement.value, imports)
            except (TypeError, OverflowError) as error:  # such as a list as a key
                raise ValueError(f"invalid value of {name!r}: {error}") from error
        elif not _is_comment(statement):
            raise _refusal(statement)
    return values


def _imported(statement: ast.Import | ast.ImportFrom) -> Imports:
    """Names that an import gives, with the dotted paths that they stand for."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or not statement.module:
            raise _refusal(statement)
        return {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names}
    tops = ((alias, alias.name.partition(".")[0]) for alias in statement.names)
    return {alias.asname or top: alias.name if alias.asname else top for alias, top in tops}


def _assigned_name(statement: ast.Assign) -> str:
    if len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise _refusal(statement)


def _is_comment(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _value(node: ast.expr, imports: Imports) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_value(item, imports) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, imports) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_value(item, imports) for item in node.elts}
    if isinstance(node, ast.Dict):
        return _read_dict(node, imports)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        number = _value(node.operand, imports)
        if isinstance(number, (int, float, complex)):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Call):
        return _read_call(node, imports)
    if isinstance(node, (ast.Attribute, ast.Name)):
        path = _dotted(node, imports)
        if path.partition(".")[0] in (name.partition(".")[0] for name in imports.values()):
            return path
    raise _refusal(node)


def _read_dict(node: ast.Dict, imports: Imports) -> dict[Any, Any]:
    filled: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:  # **other
            raise _refusal(node)
        filled[_value(key, imports)] = _value(value, imports)
    return filled


def _read_call(node: ast.Call, imports: Imports) -> Any:
    function = _CALLABLE.get(_dotted(node.func, imports))
    if function is None or any(keyword.arg is None for keyword in node.keywords):
        raise _refusal(node)
    settings = {str(keyword.arg): _value(keyword.value, imports) for keyword in node.keywords}
    values = [_value(each, imports) for each in node.args]
    if function is not range and any(isinstance(value, range) for value in values):
        raise _refusal(node)  # a few letters would fill the memory
    return function(*values, **settings)


def _dotted(node: ast.expr, imports: Imports) -> str:
    """The path that a name or an attribute stands for, with what its name was imported as."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, imports)}.{node.attr}"
    if isinstance(node, ast.Name):
        return imports.get(node.id, node.id)
    raise _refusal(node)


def _refusal(node: ast.stmt | ast.expr) -> ValueError:
    shown = ast.unparse(node)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
    return ValueError(f"not plain data in line {node.lineno}: {shown}")
