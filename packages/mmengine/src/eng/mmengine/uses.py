"""Find the names of mmengine that Python files use."""

from __future__ import annotations

import ast
import os
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chain", "Module", "Use", "find_files", "read_source"]

_SKIPPED = {"__pycache__", "build", "node_modules", "site-packages"}


@dataclass(frozen=True)
class Use:
    """A use of mmengine in a file.

    Attributes:
        path: Dotted path of the name.
        line: Line in the file.
    """

    path: str
    line: int


@dataclass(frozen=True)
class Chain:
    """A chain of attributes such as ``mmengine.runner.Runner``.

    Attributes:
        name: First name of the chain in the file.
        path: Dotted path of the chain in mmengine.
        node: Node of the chain.
    """

    name: str
    path: str
    node: ast.expr


class Module:
    """A parsed file.

    Args:
        text: Text of the file.

    Attributes:
        imports: Import statements of mmengine.
        chains: The longest attribute chains on modules of mmengine.
        strings: Dotted paths in strings, as in ``type="mmengine.optim.AmpOptimWrapper"``.
        assigned: Names that anything but an import of mmengine binds.
        quoted: Names in annotations that are strings.

    Raises:
        SyntaxError: If the text is not valid Python.
    """

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        nodes = list(ast.walk(self.tree))
        self.imports = [
            node
            for node in nodes
            if isinstance(node, (ast.Import, ast.ImportFrom)) and _imports_mmengine(node)
        ]
        self.assigned = set(_find_assigned(nodes))
        self.quoted = set(_find_quoted(nodes))
        bound = dict(_find_modules(self.imports))
        self._modules = {
            name: module for name, module in bound.items() if name not in self.assigned
        }
        inner = {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Attribute) and self._resolve(node) is not None
        }
        self.chains = [
            Chain(_get_first_name(node), path, node)
            for node in nodes
            if isinstance(node, (ast.Name, ast.Attribute))
            and id(node) not in inner
            and (path := self._resolve(node)) is not None
        ]
        self.strings = [
            Use(_drop_scoped_name(node.value), node.lineno)
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if _is_path(node.value)
        ]

    def _resolve(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            outer = self._resolve(node.value)
            return None if outer is None else f"{outer}.{node.attr}"
        return None

    def uses(self) -> list[Use]:
        """Return the uses of mmengine in the file, by line."""
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


def _get_first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _find_assigned(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield names that anything but an import of mmengine binds, in any scope of the file."""
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


def _find_quoted(nodes: Iterable[ast.AST]) -> Iterator[str]:
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


def _find_modules(imports: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the names that are bound to modules of mmengine, with their paths."""
    for node in imports:
        if isinstance(node, ast.Import):
            for name in node.names:
                if _is_mmengine(name.name):
                    yield (name.asname, name.name) if name.asname else ("mmengine", "mmengine")


def _is_mmengine(module: str) -> bool:
    return module.partition(".")[0] == "mmengine"


def _is_path(text: str) -> bool:
    return text.startswith("mmengine.") and all(part.isidentifier() for part in text.split("."))


def _drop_scoped_name(text: str) -> str:
    """Return ``mmengine`` of ``mmengine.SGD``: a registered name in its scope, not a path."""
    return text if text.count(".") > 1 else "mmengine"


def find_files(path: Path) -> list[Path]:
    """Return the Python files of a folder without installed packages, or a single file.

    Raises:
        FileNotFoundError: If the path does not exist.
    """
    if not path.exists():
        raise FileNotFoundError(2, os.strerror(2), str(path))
    if path.is_file():
        return [path]
    found: list[Path] = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(
            f for f in folders if f not in _SKIPPED and not _is_environment(folder, f)
        )
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found


def _is_environment(folder: str, name: str) -> bool:
    return name.startswith(".") or Path(folder, name, "pyvenv.cfg").exists()


def read_source(path: Path) -> tuple[str, str]:
    """Return the text of a Python file with its original line endings, and its encoding.

    Raises:
        SyntaxError: If the file is not valid text in its declared encoding.
    """
    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    try:
        with path.open(encoding=encoding, newline="") as file_of_text:
            text = file_of_text.read()
    except UnicodeDecodeError as error:
        raise SyntaxError(f"invalid {encoding}: {error.reason}") from error
    if "\0" in text:
        raise SyntaxError("source contains a null byte")
    return text, encoding
