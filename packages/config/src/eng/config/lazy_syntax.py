"""Replace the imports of lazy configs by calls."""

from __future__ import annotations

import ast

from eng.utils import override

from .errors import ConfigParsingError, ReadBaseError
from .origins import Origin
from .python_kind import is_library, is_of_configs, is_read_base

__all__ = ["CONFIG_IMPORT", "LAZY_IMPORT", "READ_BASE", "replace_imports"]

#: Name of the function that replaces the import of a library.
LAZY_IMPORT = "<lazy import>"
#: Name of the function that replaces ``from eng.config import``.
CONFIG_IMPORT = "<config import>"
#: Name of the function that replaces ``from ... import`` in ``with read_base():``.
READ_BASE = "<read base>"


def replace_imports(tree: ast.Module, name: str) -> ast.Module:
    """Replace the imports of a lazy config by calls of the functions above.

    Args:
        tree: The parsed file.
        name: Path of the file, for messages.

    Raises:
        ConfigParsingError: An import is not allowed at its place, or in this form.
    """
    replaced: ast.Module = _Imports(name).visit(tree)
    return ast.fix_missing_locations(replaced)


class _Imports(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name
        self._depth = 0
        self._tries = 0

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._visit_scope(node)

    @override
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._visit_scope(node)

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._visit_scope(node)

    def _visit_scope(self, node: ast.AST) -> ast.AST:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    @override
    def visit_Try(self, node: ast.Try) -> ast.AST:
        self._tries += 1
        self.generic_visit(node)
        self._tries -= 1
        return node

    @override
    def visit_With(self, node: ast.With) -> ast.AST | list[ast.AST]:
        if not is_read_base(node):
            return self.generic_visit(node)
        if self._depth:
            raise ConfigParsingError(
                "`with read_base():` must be at the top level of a config, or in an `if` there, "
                "not in a function or class",
                Origin(self._name, node.lineno),
            )
        return [self._read_base(each) for each in node.body if not isinstance(each, ast.Pass)]

    def _read_base(self, node: ast.stmt) -> ast.AST:
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            raise ReadBaseError(
                f"only `from <config> import <names>` is allowed in `with read_base():`, but "
                f"got `{ast.unparse(node)}`",
                Origin(self._name, node.lineno),
            )
        names = [(each.name, each.asname or each.name) for each in node.names]
        call = _call(READ_BASE, node.module, node.level, names, node.lineno)
        return ast.copy_location(ast.Expr(call), node)

    @override
    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.AST]:
        found: list[ast.AST] = []
        for each in node.names:
            if not is_library(each.name):
                found.append(ast.copy_location(ast.Import([each]), node))
                continue
            is_top = each.asname is None
            name = each.name.partition(".")[0] if each.asname is None else each.asname
            found.append(self._import(node, name, each.name, None, is_top))
        return found

    @override
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        module = node.module or ""
        if node.level:
            raise ConfigParsingError(
                f"the relative import `{ast.unparse(node)}` must be in `with read_base():`",
                Origin(self._name, node.lineno),
            )
        if is_of_configs(node):
            return [
                self._assign(
                    node,
                    each.asname or each.name,
                    CONFIG_IMPORT,
                    module,
                    each.name,
                    each.asname or each.name,
                )
                for each in node.names
            ]
        if not is_library(module):
            return node
        if any(each.name == "*" for each in node.names):
            raise ConfigParsingError(
                f"`{ast.unparse(node)}` cannot be delayed: import names of {module}",
                Origin(self._name, node.lineno),
            )
        return [
            self._import(node, each.asname or each.name, module, each.name, False)
            for each in node.names
        ]

    def _import(
        self, node: ast.stmt, name: str, module: str, imported: str | None, is_top: bool
    ) -> ast.AST:
        tried = self._tries > 0
        is_global = self._depth == 0
        return self._assign(
            node, name, LAZY_IMPORT, module, imported, name, node.lineno, is_top, tried, is_global
        )

    def _assign(self, node: ast.stmt, name: str, function: str, *arguments: object) -> ast.AST:
        target = ast.Name(name, ast.Store())
        return ast.copy_location(ast.Assign([target], _call(function, *arguments)), node)


def _call(name: str, *arguments: object) -> ast.Call:
    values = [ast.parse(repr(each), mode="eval").body for each in arguments]
    return ast.Call(ast.Name(name, ast.Load()), values, [])
