"""Parse a Python config as data, without executing it."""

from __future__ import annotations

import ast
import datetime
import pathlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeAlias

__all__ = ["read_config_text"]

#: Names that a config may call. All of them only construct values.
_CALLABLE: Mapping[str, Callable[..., object]] = {
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


def read_config_text(text: str) -> dict[str, object]:
    r"""Parse the text of a config, as saved in checkpoints.

    The text is untrusted, so it is not executed. It may assign plain values, containers, paths and
    dates. An imported class or function becomes its dotted path, which registries accept too.

    Args:
        text: The text.

    Returns:
        The values by name.

    Raises:
        ValueError: If the text has anything else; the message has the line.

    Examples:
        >>> read_config_text("import torch\nmodel = dict(type=torch.nn.Linear, in_features=2)")
        {'model': {'type': 'torch.nn.Linear', 'in_features': 2}}
    """
    try:
        return _read_statements(ast.parse(text).body)
    except SyntaxError as error:
        raise ValueError(f"invalid Python in line {error.lineno}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:  # also raised by Python's parser
        raise ValueError("values are nested too deeply") from error


def _read_statements(statements: list[ast.stmt]) -> dict[str, object]:
    imports: Imports = {}
    values: dict[str, object] = {}
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            imports.update(_read_import(statement))
        elif isinstance(statement, ast.Assign):
            name = _read_target(statement)
            try:
                values[name] = _read_value(statement.value, imports)
            except (TypeError, OverflowError) as error:  # such as a list as a key
                raise ValueError(f"invalid value of {name!r}: {error}") from error
        elif not _is_comment(statement):
            raise _make_error(statement)
    return values


def _read_import(statement: ast.Import | ast.ImportFrom) -> Imports:
    """Return the names that an import defines, with their dotted paths."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or not statement.module:
            raise _make_error(statement)
        return {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names}
    tops = ((alias, alias.name.partition(".")[0]) for alias in statement.names)
    return {alias.asname or top: alias.name if alias.asname else top for alias, top in tops}


def _read_target(statement: ast.Assign) -> str:
    if len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise _make_error(statement)


def _is_comment(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _read_value(node: ast.expr, imports: Imports) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_read_value(item, imports) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_read_value(item, imports) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_read_value(item, imports) for item in node.elts}
    if isinstance(node, ast.Dict):
        return _read_dict(node, imports)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        number = _read_value(node.operand, imports)
        if isinstance(number, (int, float, complex)):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Call):
        return _read_call(node, imports)
    if isinstance(node, (ast.Attribute, ast.Name)):
        path = _resolve_name(node, imports)
        if path.partition(".")[0] in (name.partition(".")[0] for name in imports.values()):
            return path
    raise _make_error(node)


def _read_dict(node: ast.Dict, imports: Imports) -> dict[object, object]:
    filled: dict[object, object] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:  # **other
            raise _make_error(node)
        filled[_read_value(key, imports)] = _read_value(value, imports)
    return filled


def _read_call(node: ast.Call, imports: Imports) -> object:
    function = _CALLABLE.get(_resolve_name(node.func, imports))
    if function is None or any(keyword.arg is None for keyword in node.keywords):
        raise _make_error(node)
    settings = {str(keyword.arg): _read_value(keyword.value, imports) for keyword in node.keywords}
    values = [_read_value(each, imports) for each in node.args]
    if function is not range and any(isinstance(value, range) for value in values):
        raise _make_error(node)  # a short text such as list(range(10**12)) would exhaust the memory
    return function(*values, **settings)


def _resolve_name(node: ast.expr, imports: Imports) -> str:
    """Return the dotted path of a name or an attribute."""
    if isinstance(node, ast.Attribute):
        return f"{_resolve_name(node.value, imports)}.{node.attr}"
    if isinstance(node, ast.Name):
        return imports.get(node.id, node.id)
    raise _make_error(node)


def _make_error(node: ast.stmt | ast.expr) -> ValueError:
    shown = ast.unparse(node)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
    return ValueError(f"not plain data in line {node.lineno}: {shown}")
