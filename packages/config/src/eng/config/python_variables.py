"""Substitute the variables of Python configs."""

from __future__ import annotations

import ast
import re

from eng.utils import override

from .errors import ConfigError
from .origins import Origin
from .types import ConfigValue
from .variables import Variables

__all__ = ["VARIABLE", "fill_variables"]

#: Name of the function that replaces a variable outside of a string.
VARIABLE = "<variable>"


def fill_variables(tree: ast.Module, variables: Variables, name: str) -> ast.Module:
    """Replace the words of variables by their values.

    Args:
        tree: The code, with words in place of variables.
        variables: The variables.
        name: Path of the file, for messages.

    Raises:
        ConfigError: An environment variable is not set, or a variable is in a place that requires
            a name.
    """
    filled: ast.Module = _Filling(variables, name).visit(tree)
    return filled


class _Filling(ast.NodeTransformer):
    def __init__(self, variables: Variables, name: str) -> None:
        self._variables = variables
        self._name = name
        self._line = 1

    @override
    def visit(self, node: ast.AST) -> ConfigValue:
        self._line = getattr(node, "lineno", self._line)
        return super().visit(node)

    @override
    def generic_visit(self, node: ast.AST) -> ast.AST:
        for _, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and self._variables.has_word(each):
                    raise ConfigError(
                        f"a variable must be a value or in a string, not in a name: "
                        f"{self._variables.show(each)}",
                        Origin(self._name, self._line),
                    )
        return super().generic_visit(node)

    @override
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            node.value = self._variables.fill(node.value)
        elif isinstance(node.value, bytes):
            # Latin-1 maps each byte to a character.
            text = node.value.decode("latin-1")
            fill = self._variables.fill
            node.value = re.sub(
                self._variables.pattern,
                lambda match: fill(match[0]).encode().decode("latin-1"),
                text,
            ).encode("latin-1")
        return node

    @override
    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not (self._variables.is_word(node.id) and isinstance(node.ctx, ast.Load)):
            return self.generic_visit(node)
        word = ast.copy_location(ast.Constant(node.id), node)
        function = ast.copy_location(ast.Name(VARIABLE, ast.Load()), node)
        return ast.copy_location(ast.Call(function, [word], []), node)
