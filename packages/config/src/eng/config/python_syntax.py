"""Instrument the code of Python configs with calls that record its changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from eng.utils import override

from .keys import BASE
from .origins import UNPACK
from .variables import BASE_VARIABLE

__all__ = ["BASE_VALUE", "NOTE", "add_notes", "drop_script", "replace_expressions", "uses_base"]

#: Name of the function that replaces ``{{ _base_.key }}``.
BASE_VALUE = "<base value>"
#: Name of the function called after each statement that may change the bases.
NOTE = "<note>"

# No call can follow these, or there is nothing to record.
_QUIET = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Pass,
    ast.Break,
    ast.Continue,
    ast.Raise,
)


def replace_expressions(tree: ast.Module) -> ast.Module:
    """Insert calls of :data:`BASE_VALUE` and :data:`UNPACK` into the expressions of a config."""
    replaced: ast.Module = _Expressions().visit(tree)
    return replaced


def uses_base(tree: ast.Module) -> bool:
    """Return whether code uses the object ``_base_``, or a variable of the bases."""
    names = (BASE, BASE_VALUE)
    return any(
        isinstance(each, ast.Name) and each.id in names and isinstance(each.ctx, ast.Load)
        for each in ast.walk(tree)
    )


def drop_script(tree: ast.Module) -> ast.Module:
    """Remove the code that only runs in a script, with the imports that only it uses.

    Such code may build the model with its library, which reading the config does not require.
    """
    scripts = [node for node in tree.body if _is_script(node)]
    kept = [node for node in tree.body if node not in scripts]
    imports = (ast.Import, ast.ImportFrom)
    used = _find_names(node for node in kept if not isinstance(node, imports))
    of_scripts = _find_names(scripts) - used

    def is_needed(node: ast.stmt) -> bool:
        if not isinstance(node, imports):
            return True
        return not all((a.asname or a.name).split(".")[0] in of_scripts for a in node.names)

    return ast.Module([node for node in kept if is_needed(node)], tree.type_ignores)


def _is_script(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or node.orelse:
        return False
    return ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def _find_names(nodes: Iterable[ast.stmt]) -> set[str]:
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


def add_notes(body: list[ast.stmt], statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return code with a call of :data:`NOTE` after each statement.

    Args:
        body: The code.
        statements: List that the statements are appended to; the calls pass their indices.
    """
    noted = []
    for node in body:
        noted.append(node if isinstance(node, _QUIET) else _note_blocks(node, statements))
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, _QUIET) and not is_text:
            noted.append(ast.copy_location(ast.Expr(_call(node, NOTE, len(statements))), node))
            statements.append(node)
    return noted


def _note_blocks(node: ast.stmt, statements: list[ast.stmt]) -> ast.stmt:
    """Return a compound statement with notes in its blocks; others are returned unchanged."""
    blocks = {
        name: add_notes(block, statements)
        for name, block in ast.iter_fields(node)
        if name in ("body", "orelse", "finalbody") and block
    }
    inner = {
        name: [_note_blocks(each, statements) for each in getattr(node, name)]
        for name in ("handlers", "cases")
        if hasattr(node, name)
    }
    if not (blocks or inner):
        return node
    fields = {**dict(ast.iter_fields(node)), **blocks, **inner}
    return ast.copy_location(type(node)(**fields), node)


class _Expressions(ast.NodeTransformer):
    def __init__(self) -> None:
        self._count = 0

    @override
    def visit_Set(self, node: ast.Set) -> ast.AST:
        inner = node.elts[0] if len(node.elts) == 1 else None
        if isinstance(inner, ast.Set) and len(inner.elts) == 1:
            match = re.fullmatch(r"_base_\.([\w.]+)", ast.unparse(inner.elts[0]))
            if match:
                return _call(node, BASE_VALUE, match[1], node.lineno)
        return self.generic_visit(node)

    @override
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or BASE not in node.value:
            return node
        whole = BASE_VARIABLE.fullmatch(node.value.strip())
        if whole:
            return _call(node, BASE_VALUE, whole[1], node.lineno)
        parts = BASE_VARIABLE.split(node.value)
        if len(parts) == 1:
            return node
        pieces: list[ast.expr] = [
            ast.FormattedValue(_call(node, BASE_VALUE, part, node.lineno), -1)
            if index % 2
            else ast.Constant(part)
            for index, part in enumerate(parts)
        ]
        return ast.fix_missing_locations(ast.copy_location(ast.JoinedStr(pieces), node))

    @override
    def visit_List(self, node: ast.List) -> ast.AST:
        return self._visit_items(node)

    @override
    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        return self._visit_items(node)

    def _visit_items(self, node: ast.List | ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        for item in node.elts if isinstance(node.ctx, ast.Load) else ():
            if isinstance(item, ast.Starred):
                item.value = self._unpack(item.value)
        return node

    @override
    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        for index, key in enumerate(node.keys):
            if key is None:
                node.values[index] = self._unpack(node.values[index], is_mapping=True)
        return node

    @override
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "dict":
            for index, value in enumerate(node.args):
                if not isinstance(value, ast.Starred):
                    node.args[index] = self._unpack(value, is_mapping=True)
            for item in node.keywords:
                if item.arg is None:
                    item.value = self._unpack(item.value, is_mapping=True)
        return node

    @override
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add):
            node.left, node.right = (
                self._unpack_operand(node.left),
                self._unpack_operand(node.right),
            )
        return node

    def _unpack_operand(self, node: ast.expr) -> ast.expr:
        is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
        written = (ast.List, ast.Tuple, ast.Constant, ast.JoinedStr)
        return node if is_sum or isinstance(node, written) else self._unpack(node)

    def _unpack(self, node: ast.expr, is_mapping: bool = False) -> ast.expr:
        self._count += 1
        return _call(node, UNPACK, node, self._count, is_mapping)


def _call(at: ast.expr | ast.stmt, name: str, *arguments: ast.expr | str | int) -> ast.Call:
    """Return a call with the location of a node."""
    args = [
        each if isinstance(each, ast.expr) else ast.copy_location(ast.Constant(each), at)
        for each in arguments
    ]
    function = ast.copy_location(ast.Name(name, ast.Load()), at)
    return ast.copy_location(ast.Call(function, args, []), at)
