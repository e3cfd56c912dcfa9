"""Reading config files: their variables, their bases, and where each value comes from."""

from __future__ import annotations

import ast
import json
import os
import re
import types
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eng.config.config_dict import ConfigDict
from eng.config.errors import ConfigError, Origin
from eng.config.merge import Origins, merge
from eng.utils import get_installed_path, is_installed

BASE = "_base_"
DELETE = "_delete_"
RESERVED = ("filename", "text", "pretty_text", "env_variables")
FORMATS = (".py", ".yaml", ".yml", ".json")

_VARIABLE = re.compile(
    r"\{\{\s*(fileDirname|fileBasenameNoExtension|fileBasename|fileExtname)\s*\}\}"
)
_ENVIRONMENT = re.compile(r"\{\{\s*\$(\w+)\s*(?::\s*([^{}\n]*?))?\s*\}\}")
_BASE_VARIABLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
_JSON_STRING_OR_VARIABLE = re.compile(r'"(?:[^"\\\n]|\\.)*"|' + _BASE_VARIABLE.pattern)


def read(
    path: Path, use_variables: bool = True, above: tuple[str, ...] = ()
) -> tuple[dict[str, Any], str, Origins]:
    """Read a config file with its bases.

    Returns:
        The merged config, the text of all its files, and the origin of each value by path.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigError: The file or one of its bases is wrong.
    """
    name = str(path)
    if not path.is_file():
        raise FileNotFoundError(f'file "{path}" does not exist')
    real = os.path.realpath(path)
    if real in above:
        chain = " -> ".join([*above[above.index(real) :], real])
        raise ConfigError(f"the base files form a cycle: {chain}", Origin(name))
    if path.suffix not in FORMATS:
        raise ConfigError(
            f"no config format {path.suffix!r}: use py, yaml, yml or json", Origin(name)
        )
    source = path.read_text(encoding="utf-8")
    text = _substitute(source, path) if use_variables else source
    document: _Python | _Data = _Python(text, name) if path.suffix == ".py" else _Data(text, path)
    base: dict[str, Any] = {}
    origins: Origins = {}
    texts = []
    for entry in document.bases():
        base_path, scope = _locate(entry, path)
        if not base_path.is_file():
            raise ConfigError(
                f"the base {entry!r} does not exist (looked for {base_path})",
                Origin(name, document.base_line),
            )
        values, base_text, base_origins = read(base_path, use_variables, (*above, real))
        texts.append(base_text)
        for key in base.keys() & values.keys():
            raise ConfigError(
                f"the key {key!r} is in two bases: {origins.get((key,))} and "
                f"{base_origins.get((key,))}",
                Origin(name, document.base_line),
            )
        base.update({k: _scoped(v, scope) for k, v in values.items()} if scope else values)
        origins.update(base_origins)
    values, own_origins = document.load(base)
    values.pop(BASE, None)
    deprecation = values.pop("_deprecation_", None)
    if deprecation is not None:
        _warn(name, deprecation)
    for key in RESERVED:
        if key in values:
            raise ConfigError(
                f"the key {key!r} is reserved: it is an attribute of Config",
                own_origins.get((key,), Origin(name)),
            )
    texts.append(f"{name}\n{source}")
    if document.bases():
        dropped = values.pop(DELETE, False)
        if dropped:
            return values, "\n".join(texts), own_origins
        return merge(values, base, own_origins, origins, Origin(name)), "\n".join(texts), origins
    return values, "\n".join(texts), own_origins


class _Python:
    """A config file in python."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        try:
            self.tree = ast.parse(text, name)
        except SyntaxError as error:
            raise ConfigError(
                f"no valid python: {error.msg}", Origin(name, error.lineno)
            ) from error
        self.base_line: int | None = None

    def bases(self) -> list[str]:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == BASE for t in node.targets
            ):
                self.base_line = node.lineno
                try:
                    return _base_list(ast.literal_eval(node.value))
                except (ValueError, TypeError):
                    raise ConfigError(
                        "_base_ must be a string or a list of strings, written out",
                        Origin(self.name, node.lineno),
                    ) from None
        return []

    def load(self, base: dict[str, Any]) -> tuple[dict[str, Any], Origins]:
        tree = ast.fix_missing_locations(_BaseVariables(self.name).visit(self.tree))
        scope: dict[str, Any] = {
            "__file__": self.name,
            "__name__": "<config>",
            "_base_value_": lambda key, line: _lookup(base, key, Origin(self.name, line)),
        }
        # With the real name, a traceback from inside the config shows its file and line.
        exec(compile(tree, self.name, "exec"), scope)
        declared: set[str] = set()
        origins: Origins = {}
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                declared.update((a.asname or a.name).split(".")[0] for a in node.names)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                declared.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and node.value is not None:
                        declared.discard(target.id)
                        self._trace(node.value, (target.id,), node.lineno, origins)
        values = {
            key: value
            for key, value in scope.items()
            if not key.startswith("__")
            and key != "_base_value_"
            and key not in declared
            and not isinstance(value, (types.ModuleType, types.FunctionType))
        }
        for key in values:
            origins.setdefault((key,), Origin(self.name))
        return values, origins

    def _trace(self, node: ast.expr, path: tuple[str, ...], line: int, into: Origins) -> None:
        into[path] = Origin(self.name, line)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "dict"
        ):
            for item in node.keywords:
                if item.arg is not None:
                    self._trace(item.value, (*path, item.arg), item.lineno, into)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    self._trace(value, (*path, str(key.value)), key.lineno, into)
        elif isinstance(node, (ast.List, ast.Tuple)):
            for index, value in enumerate(node.elts):
                self._trace(value, (*path, str(index)), value.lineno, into)


class _BaseVariables(ast.NodeTransformer):
    """Turn ``{{ _base_.a.b }}``, as an expression or in a string, into the value of the base."""

    def __init__(self, name: str) -> None:
        self.name = name

    def visit_Set(self, node: ast.Set) -> ast.AST:
        inner = node.elts[0] if len(node.elts) == 1 else None
        if isinstance(inner, ast.Set) and len(inner.elts) == 1:
            match = re.fullmatch(r"_base_\.([\w.]+)", ast.unparse(inner.elts[0]))
            if match:
                return ast.copy_location(_call(match[1], node.lineno), node)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or "_base_" not in node.value:
            return node
        whole = _BASE_VARIABLE.fullmatch(node.value.strip())
        if whole:
            return ast.copy_location(_call(whole[1], node.lineno), node)
        parts = _BASE_VARIABLE.split(node.value)
        if len(parts) == 1:
            return node
        pieces: list[ast.expr] = [
            ast.FormattedValue(_call(part, node.lineno), -1) if index % 2 else ast.Constant(part)
            for index, part in enumerate(parts)
        ]
        return ast.copy_location(ast.JoinedStr(pieces), node)


class _Data:
    """A config file in yaml or json."""

    def __init__(self, text: str, path: Path) -> None:
        self.name = str(path)
        self.base_line: int | None = None
        self.lines: Origins = {}
        self.values = self._json(text) if path.suffix == ".json" else self._yaml(text)
        if not isinstance(self.values, dict):
            raise ConfigError("the file must hold a mapping", Origin(self.name))
        self.base_line = self.lines.get((BASE,), Origin(None)).line

    def bases(self) -> list[str]:
        try:
            return _base_list(self.values.get(BASE, []))
        except TypeError as error:
            raise ConfigError(str(error), Origin(self.name, self.base_line)) from None

    def load(self, base: dict[str, Any]) -> tuple[dict[str, Any], Origins]:
        def fill(value: Any, path: tuple[str, ...]) -> Any:
            if isinstance(value, dict):
                return {k: fill(v, (*path, str(k))) for k, v in value.items()}
            if isinstance(value, list):
                return [fill(v, (*path, str(i))) for i, v in enumerate(value)]
            if not isinstance(value, str) or "_base_" not in value:
                return value
            origin = self.lines.get(path, Origin(self.name))
            whole = _BASE_VARIABLE.fullmatch(value.strip())
            if whole:
                return _lookup(base, whole[1], origin)
            return _BASE_VARIABLE.sub(lambda m: str(_lookup(base, m[1], origin)), value)

        return fill(self.values, ()), self.lines

    def _json(self, text: str) -> Any:
        quoted = _JSON_STRING_OR_VARIABLE.sub(
            lambda m: m[0] if m[0].startswith('"') else f'"{m[0]}"', text
        )

        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for key, value in pairs:
                if key in found:
                    lines = [n for n, line in enumerate(text.splitlines(), 1) if f'"{key}"' in line]
                    raise ConfigError(
                        f"the key {key!r} is there twice",
                        Origin(self.name, lines[-1] if lines else None),
                    )
                found[key] = value
            return found

        try:
            values = json.loads(quoted, object_pairs_hook=unique)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"no valid json: {error.msg}", Origin(self.name, error.lineno)
            ) from error
        if isinstance(values, dict):
            self.lines.update({(key,): Origin(self.name) for key in values})
        return values

    def _yaml(self, text: str) -> Any:
        import yaml

        # Unquoted braces are a flow mapping in yaml: quote a value that is a base variable.
        text = re.sub(
            r"(?m)([:\-,\[]\s+)(\{\{\s*_base_\.[\w.]+\s*\}\})(?=\s*(?:$|[,\]#]))", r'\1"\2"', text
        )
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self._trace(node, ())
            return yaml.safe_load(text) if node is not None else {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise ConfigError(f"no valid yaml: {error.problem}", Origin(self.name, line)) from error

    def _trace(self, node: Any, path: tuple[str, ...]) -> None:
        if getattr(node, "id", None) == "mapping":
            seen = set()
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value != "<<" and str(key.value) in seen:
                    raise ConfigError(
                        f"the key {key.value!r} is there twice", Origin(self.name, line)
                    )
                seen.add(str(key.value))
                at = (*path, str(key.value))
                self.lines[at] = Origin(self.name, line)
                self._trace(value, at)
        elif getattr(node, "id", None) == "sequence":
            for index, value in enumerate(node.value):
                at = (*path, str(index))
                self.lines[at] = Origin(self.name, value.start_mark.line + 1)
                self._trace(value, at)


def _substitute(text: str, path: Path) -> str:
    known = {
        "fileDirname": str(path.parent),
        "fileBasename": path.name,
        "fileBasenameNoExtension": path.stem,
        "fileExtname": path.suffix,
    }

    def environment(match: re.Match[str]) -> str:
        value = os.environ.get(match[1], match[2])
        if value is None:
            line = text.count("\n", 0, match.start()) + 1
            raise ConfigError(
                f"the environment variable {match[1]} is not set; set it, or give a default as "
                f"{{{{ ${match[1]}:default }}}}",
                Origin(str(path), line),
            )
        return value

    # Windows paths would bring escape sequences into a string.
    text = _VARIABLE.sub(lambda match: known[match[1]].replace("\\", "/"), text)
    return _ENVIRONMENT.sub(environment, text)


def _locate(entry: str, path: Path) -> tuple[Path, str | None]:
    package, colons, inner = entry.partition("::")
    if not colons:
        return path.parent / entry, None
    if not is_installed(package):
        raise ConfigError(
            f"the base {entry!r} needs the package {package}, which is not installed",
            Origin(str(path)),
        )
    root = Path(get_installed_path(package))
    for folder in (root / ".mim" / "configs", root / "configs", root):
        if (folder / inner).is_file():
            return folder / inner, package
    return root / ".mim" / "configs" / inner, package


def _scoped(value: Any, scope: str) -> Any:
    if isinstance(value, dict):
        found = {k: _scoped(v, scope) for k, v in value.items()}
        if isinstance(found.get("type"), str):
            found.setdefault("_scope_", scope)
        return found
    if type(value) in (list, tuple):
        return type(value)(_scoped(item, scope) for item in value)
    return value


def _lookup(base: Mapping[str, Any], key: str, origin: Origin) -> Any:
    value: Any = base
    for part in key.split("."):
        try:
            value = value[int(part)] if isinstance(value, (list, tuple)) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ConfigError(f"no base has the variable _base_.{key}", origin) from None
    return ConfigDict._hook(value) if not isinstance(value, dict) else ConfigDict(value)


def _call(key: str, line: int) -> ast.Call:
    return ast.Call(
        ast.Name("_base_value_", ast.Load()), [ast.Constant(key), ast.Constant(line)], []
    )


def _base_list(value: Any) -> list[str]:
    bases = [value] if isinstance(value, str) else value
    if not isinstance(bases, (list, tuple)) or not all(isinstance(each, str) for each in bases):
        raise TypeError("_base_ must be a string or a list of strings")
    return list(bases)


def _warn(name: str, deprecation: Mapping[str, Any]) -> None:
    text = f"The config file {name} will be deprecated in the future."
    if "expected" in deprecation:
        text += f" Please use {deprecation['expected']} instead."
    if "reference" in deprecation:
        text += f" More information can be found at {deprecation['reference']}."
    warnings.warn(text, DeprecationWarning, stacklevel=4)
