"""Config files in Python."""

from __future__ import annotations

import ast
import re
import types
from typing import Any

from .errors import ConfigError
from .keys import BASE
from .origins import Origin, Origins, trace
from .variables import BASE_VARIABLE, base_value

__all__ = ["PythonFile"]

# Name that the code of a config runs under, and that its functions have as their module.
_MODULE = "<config>"
# Name of the function that a base variable becomes a call of.
_BASE_VALUE = "_base_value_"


class PythonFile:
    """A config file in Python.

    Args:
        text: Content of the file.
        name: Path of the file, for messages and tracebacks.

    Raises:
        ConfigError: The text is no Python.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._uses_base = "_base_." in text
        try:
            self.tree = ast.parse(text, name)
        except SyntaxError as error:
            raise ConfigError(
                f"no valid python: {error.msg}", Origin(name, error.lineno)
            ) from error
        self.base_line: int | None = None

    def bases(self) -> Any:
        """Return what the file has for ``_base_``, without running it."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == BASE for t in node.targets
            ):
                self.base_line = node.lineno
                try:
                    return ast.literal_eval(node.value)
                except ValueError:
                    raise ConfigError(
                        "_base_ must be a string or a list of strings, written out",
                        Origin(self.name, node.lineno),
                    ) from None
        return []

    def load(self, base: dict[str, Any]) -> tuple[dict[str, Any], Origins]:
        """Run the file and return its values with their origins.

        Args:
            base: The merged bases, for base variables.
        """
        tree = self.tree
        if self._uses_base:
            tree = ast.fix_missing_locations(_BaseVariables().visit(tree))
        scope: dict[str, Any] = {
            "__file__": self.name,
            "__name__": _MODULE,
            _BASE_VALUE: lambda key, line: base_value(base, key, Origin(self.name, line)),
        }
        # With the real name, a traceback from inside the config shows its file and line.
        exec(compile(tree, self.name, "exec"), scope)
        helpers: set[str] = set()
        origins: Origins = {}
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                helpers.update((a.asname or a.name).split(".")[0] for a in node.names)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                helpers.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and node.value is not None:
                        helpers.discard(target.id)
                        trace(node.value, self.name, (target.id,), node.lineno, origins)
        values = {
            key: value
            for key, value in scope.items()
            if not key.startswith("__")
            and key != _BASE_VALUE
            and key not in helpers
            and not isinstance(value, types.ModuleType)
            and not (isinstance(value, types.FunctionType) and value.__module__ == _MODULE)
        }
        for key in values:
            origins.setdefault((key,), Origin(self.name))
        return values, origins


class _BaseVariables(ast.NodeTransformer):
    """Turn ``{{ _base_.a.b }}``, as an expression or in a string, into the value of the base."""

    def visit_Set(self, node: ast.Set) -> ast.AST:
        inner = node.elts[0] if len(node.elts) == 1 else None
        if isinstance(inner, ast.Set) and len(inner.elts) == 1:
            match = re.fullmatch(r"_base_\.([\w.]+)", ast.unparse(inner.elts[0]))
            if match:
                return ast.copy_location(_make_call(match[1], node.lineno), node)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or "_base_" not in node.value:
            return node
        whole = BASE_VARIABLE.fullmatch(node.value.strip())
        if whole:
            return ast.copy_location(_make_call(whole[1], node.lineno), node)
        parts = BASE_VARIABLE.split(node.value)
        if len(parts) == 1:
            return node
        pieces: list[ast.expr] = [
            ast.FormattedValue(_make_call(part, node.lineno), -1)
            if index % 2
            else ast.Constant(part)
            for index, part in enumerate(parts)
        ]
        return ast.copy_location(ast.JoinedStr(pieces), node)


def _make_call(key: str, line: int) -> ast.Call:
    return ast.Call(ast.Name(_BASE_VALUE, ast.Load()), [ast.Constant(key), ast.Constant(line)], [])
