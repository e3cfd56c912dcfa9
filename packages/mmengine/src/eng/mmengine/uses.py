"""Find what Python files use of mmengine."""

from __future__ import annotations

import ast
import os
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chain", "Module", "Use", "find_files", "read_source"]

_LEFT_OUT = {"__pycache__", "build", "node_modules", "site-packages"}


@dataclass(frozen=True)
class Use:
    """A name of mmengine in a file.

    Attributes:
        path: Its dotted path.
        line: Line of the file.
    """

    path: str
    line: int


@dataclass(frozen=True)
class Chain:
    """Attributes of a module of mmengine, as in ``mmengine.runner.Runner``.

    Attributes:
        name: The name of the file that they begin with.
        path: The dotted path that they stand for.
        node: The place in the file.
    """

    name: str
    path: str
    node: ast.expr


class Module:
    """A parsed file.

    Args:
        text: Its text.

    Attributes:
        imports: Statements that import something of mmengine.
        chains: Attributes of what ``import mmengine`` and its like give, the longest ones.
        strings: Dotted paths in strings, as in ``type="mmengine.optim.AmpOptimWrapper"``.
        assigned: Names that are given a value otherwise than by an import of mmengine.
        quoted: Names in annotations that are strings.

    Raises:
        SyntaxError: It is not Python.
    """

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        nodes = list(ast.walk(self.tree))
        self.imports = [
            node
            for node in nodes
            if isinstance(node, (ast.Import, ast.ImportFrom)) and _imports_mmengine(node)
        ]
        self.assigned = set(_assigned(nodes))
        self.quoted = set(_quoted(nodes))
        bound = dict(_bound_modules(self.imports))
        self._modules = {
            name: module for name, module in bound.items() if name not in self.assigned
        }
        inner = {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Attribute) and self._path(node) is not None
        }
        self.chains = [
            Chain(_first_name(node), path, node)
            for node in nodes
            if isinstance(node, (ast.Name, ast.Attribute))
            and id(node) not in inner
            and (path := self._path(node)) is not None
        ]
        self.strings = [
            Use(node.value, node.lineno)
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if _is_path(node.value)
        ]

    def _path(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            outer = self._path(node.value)
            return None if outer is None else f"{outer}.{node.attr}"
        return None

    def uses(self) -> list[Use]:
        """Return every name that the file uses, in the order of its lines."""
        found = list(self.strings)
        for node in self.imports:
            if isinstance(node, ast.ImportFrom):
                names = [name for name in node.names if name.name != "*"]
                found += [Use(f"{node.module}.{name.name}", name.lineno) for name in names]
                if len(names) < len(node.names):
                    found.append(Use(str(node.module), node.lineno))
            else:
                found += [Use(n.name, n.lineno) for n in node.names if _is_mmengine(n.name)]
        found += [Use(chain.path, chain.node.lineno) for chain in self.chains]
        return sorted(set(found), key=lambda use: (use.line, use.path))


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that something else than an import of mmengine binds, in any scope of the file."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and not _imports_mmengine(node):
            bound = (name.asname or name.name.partition(".")[0] for name in node.names)
            yield from (name for name in bound if not _imports_eng(node, name))
        elif isinstance(node, _BINDING):
            yield from filter(None, (getattr(node, field, None) for field in ("name", "rest")))


_BINDING = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler),
    *(ast.MatchAs, ast.MatchStar, ast.MatchMapping),
)


def _quoted(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for field in ("annotation", "returns"):
            annotation = getattr(node, field, None)
            for each in ast.walk(annotation) if isinstance(annotation, ast.AST) else ():
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield from re.findall(r"\w+", each.value)


def _imports_eng(node: ast.Import | ast.ImportFrom, bound: str) -> bool:
    """Whether an import binds the name ``eng`` to eng itself."""
    return isinstance(node, ast.Import) and any(
        name.asname is None and name.name.partition(".")[0] == bound == "eng" for name in node.names
    )


def _imports_mmengine(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and _is_mmengine(node.module or "")
    return any(_is_mmengine(name.name) for name in node.names)


def _bound_modules(imports: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Names of a file that stand for modules of mmengine, each with the module's path."""
    for node in imports:
        if isinstance(node, ast.Import):
            for name in node.names:
                if _is_mmengine(name.name):
                    yield (name.asname, name.name) if name.asname else ("mmengine", "mmengine")


def _is_mmengine(module: str) -> bool:
    return module.partition(".")[0] == "mmengine"


def _is_path(text: str) -> bool:
    return text.startswith("mmengine.") and all(part.isidentifier() for part in text.split("."))


def find_files(path: Path) -> list[Path]:
    """Return the Python files of a folder, without those of installed packages; or the one file.

    Raises:
        FileNotFoundError: There is nothing at the path.
    """
    if not path.exists():
        raise FileNotFoundError(2, os.strerror(2), str(path))
    if path.is_file():
        return [path]
    found: list[Path] = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(
            f for f in folders if f not in _LEFT_OUT and not _is_environment(folder, f)
        )
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found


def _is_environment(folder: str, name: str) -> bool:
    return name.startswith(".") or Path(folder, name, "pyvenv.cfg").exists()


def read_source(path: Path) -> tuple[str, str]:
    """Return the text of a Python file with its line ends as they are, and its encoding.

    Raises:
        SyntaxError: It is not text of the encoding that it declares.
    """
    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    try:
        with path.open(encoding=encoding, newline="") as file_of_text:
            text = file_of_text.read()
    except UnicodeDecodeError as error:
        raise SyntaxError(f"not {encoding}: {error.reason}") from error
    if "\0" in text:
        raise SyntaxError("it holds a null byte")
    return text, encoding
