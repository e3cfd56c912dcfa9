"""Run config files in Python."""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping

from .config_dict import to_plain
from .errors import BaseAttributeError, ConfigError, error_at
from .inherited import Inherited
from .keys import BASE
from .missing import closest
from .origins import UNPACK, Origin, Origins, Unpacked, Values, trace
from .python_syntax import (
    BASE_VALUE,
    NOTE,
    add_notes,
    drop_script,
    replace_expressions,
    uses_base,
)
from .python_variables import VARIABLE, fill_variables
from .types import ConfigValue
from .variables import Variables

__all__ = ["CONFIG_MODULE", "PythonFile", "assigns_base", "parse"]

#: ``__name__`` of the code of a config, and module of its functions.
CONFIG_MODULE = "<config>"


def parse(variables: Variables, name: str) -> ast.Module:
    """Parse a config in Python, without the code that only runs in a script.

    Args:
        variables: Content of the file, and its variables.
        name: Path of the file, for messages.

    Raises:
        ConfigError: The text is invalid Python.
    """
    try:
        tree = ast.parse(variables.text, name)
    except SyntaxError as error:
        raise ConfigError(f"invalid Python: {error.msg}", Origin(name, error.lineno)) from error
    return drop_script(tree) if "__name__" in variables.text else tree


class PythonFile:
    """A config file in Python.

    Args:
        tree: The parsed file.
        variables: Content of the file, and its variables.
        name: Path of the file, for messages and tracebacks.

    Raises:
        ConfigError: A variable is in a place that requires a name.
    """

    def __init__(self, tree: ast.Module, variables: Variables, name: str) -> None:
        self.name = name
        self.tree = tree
        text = variables.text
        # Most files need none of this, and load faster without.
        has_variables = text.count(BASE) > 1 or f"{BASE}." in text
        if has_variables or "*" in text or "+" in text:
            self.tree = replace_expressions(self.tree)
        if variables:
            # After that, so that substituted values are not searched for variables.
            self.tree = fill_variables(self.tree, variables, name)
        self._uses_base = has_variables and uses_base(self.tree)
        self.base_line: int | None = None
        self._inherited = Inherited(Values({}, {}), Origin(name))
        self._unpacked: dict[int, Unpacked] = {}
        self._statements: list[ast.stmt] = []
        self._scope: dict[str, ConfigValue] = {
            "__file__": name,
            "__name__": CONFIG_MODULE,
            BASE_VALUE: lambda key, line: self._inherited.copy_value(key, Origin(name, line)),
            NOTE: self._note,
            UNPACK: self._unpack,
            VARIABLE: variables.literal,
        }
        self._added = set(self._scope)
        self._ran = 0

    def bases(self) -> ConfigValue:
        """Return the value of ``_base_``.

        The expression is evaluated alone. If it needs names of the file, or is assigned several
        times, the statements up to the last assignment run first.

        Raises:
            ConfigError: The expression cannot be evaluated.
        """
        places = [index for index, node in enumerate(self.tree.body) if assigns_base(node)]
        if not places:
            return []
        node = self.tree.body[places[-1]]
        self.base_line = node.lineno
        if len(places) == 1 and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
            expression = compile(ast.Expression(node.value), self.name, "eval")
            try:
                bases = eval(expression, dict(self._scope))
            except NameError:
                pass
            except Exception as error:
                raise ConfigError(
                    f"{BASE} cannot be evaluated: {error}", Origin(self.name, node.lineno)
                ) from error
            else:
                self.tree.body[places[0]] = _remove_base(node)
                return bases
        self._ran = places[-1] + 1
        try:
            self._run(self.tree.body[: self._ran])
        except NameError as error:
            raise ConfigError(
                f"{BASE} cannot be evaluated: {error.__cause__ or error}", self._find_origin(error)
            ) from error
        return self._scope.get(BASE, [])

    def load(self, base: Values) -> tuple[Values, Values]:
        """Run the file.

        Args:
            base: The merged bases, which the file sees as ``_base_``.

        Returns:
            Values of the file itself, and those of its bases after its changes.
        """
        if self._uses_base:
            self._inherited = Inherited(base, Origin(self.name))
            if self.base_line is not None:
                self._scope[BASE] = self._inherited.values
        self._run(self.tree.body[self._ran :])
        helpers, origins = self._trace_statements()
        values = {
            key: value
            for key, value in self._scope.items()
            if not key.startswith("__")
            and key not in self._added
            and key not in helpers
            and key != BASE
            and not isinstance(value, types.ModuleType)
            and not (isinstance(value, types.FunctionType) and value.__module__ == CONFIG_MODULE)
        }
        for key in values:
            origins.setdefault((key,), Origin(self.name))
        if not self._uses_base:
            return Values(values, origins), base
        self._inherited.note_changes(Origin(self.name), {})
        for key, value in values.items():
            self._inherited.add_origins(value, (key,), origins)
        # Converted to plain dictionaries: keys no longer share values with each other or the bases.
        return Values(to_plain(values), origins), self._inherited.result()

    def _run(self, body: list[ast.stmt]) -> None:
        if self._uses_base:
            body = add_notes(body, self._statements)
        # With the real name, tracebacks show the file and line of the config.
        code = compile(ast.Module(body, []), self.name, "exec")
        try:
            exec(code, self._scope)
        except Exception as error:
            told = self._explain(error)
            if told is error:
                raise
            raise told.with_traceback(error.__traceback__) from error

    def _explain(self, error: Exception) -> Exception:
        """Return an error of the code of the config with its line."""
        if isinstance(error, ConfigError):  # of a base; its message has the line already
            return error
        origin = self._find_origin(error)
        if isinstance(error, ImportError):
            return error_at(error, origin)
        values = getattr(error, "obj", None)
        if (
            isinstance(error, AttributeError)
            and isinstance(values, dict)
            and values in self._inherited
        ):
            known = ", ".join(map(str, values))
            name = getattr(error, "name", None)
            near = closest(str(name), values) or f"; known keys are {known}"
            return BaseAttributeError(f"no base has the key {name!r}{near}", origin)
        from .code_errors import explain_code  # late, as few configs fail

        return explain_code(error, self.name, origin)

    def _find_origin(self, error: BaseException) -> Origin:
        """Return the innermost line of the config in the traceback of an error."""
        line, frame = None, error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_filename == self.name:
                line = frame.tb_lineno
            frame = frame.tb_next
        return Origin(self.name, line)

    def _note(self, number: int) -> None:
        """Record the changes of a statement to the bases."""
        node = self._statements[number]
        written: Origins = {}
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            trace(node.value, self.name, (), node.lineno, written, self._unpacked)
        self._inherited.note_changes(Origin(self.name, node.lineno), written)

    def _unpack(self, value: ConfigValue, number: int, is_mapping: bool) -> ConfigValue:
        """Record the keys of ``*value``, ``**value`` or ``value + other``, and return the value."""
        if isinstance(value, Mapping) if is_mapping else isinstance(value, (list, tuple)):
            keys = list(value) if is_mapping else list(range(len(value)))
            self._unpacked[number] = Unpacked(keys, self._inherited.origins_in(value))
        else:
            self._unpacked.pop(number, None)
        return value

    def _trace_statements(self) -> tuple[set[str], Origins]:
        """Return the names that are not values, and the origins of those that are."""
        helpers: set[str] = set()
        found: dict[str, Origins] = {}
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                helpers.update((a.asname or a.name).split(".")[0] for a in node.names)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                helpers.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        helpers.discard(target.id)
                        path, origins = (target.id,), found.setdefault(target.id, {})
                        origins.clear()
                        trace(node.value, self.name, path, node.lineno, origins, self._unpacked)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                origins = found.setdefault(node.target.id, {})
                origins[(node.target.id,)] = Origin(self.name, node.lineno)
        return helpers, {path: at for origins in found.values() for path, at in origins.items()}


def assigns_base(node: ast.stmt) -> bool:
    """Return whether a statement assigns ``_base_``."""
    if isinstance(node, ast.Assign):
        targets: list[ast.AST] = [*node.targets]
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        targets = [node.target]
    else:  # it may be in a block
        targets = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    return any(
        isinstance(each, ast.Name) and each.id == BASE and isinstance(each.ctx, ast.Store)
        for each in targets
    )


def _remove_base(node: ast.Assign | ast.AnnAssign) -> ast.stmt:
    """Return an assignment without its target ``_base_``."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    kept = [each for each in targets if not (isinstance(each, ast.Name) and each.id == BASE)]
    if not kept or node.value is None:
        return ast.copy_location(ast.Pass(), node)
    return ast.copy_location(ast.Assign(kept, node.value), node)
