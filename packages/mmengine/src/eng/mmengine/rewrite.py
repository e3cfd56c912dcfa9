"""Rewrite imports of mmengine in a file to the packages of eng."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .offered import Origin, find_origin, offered_by, split_path
from .uses import Chain, Module

__all__ = ["rewrite"]

_LINE_LENGTH = 88
#: As the parser counts lines: also in files that mix the kinds.
_END_OF_LINE = re.compile(rb"\r\n|\r|\n")


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def rewrite(text: str) -> str:
    """Replace mmengine by eng in the text of a file.

    Names that eng does not have are still imported from mmengine. Strings are not changed: the
    alias resolves the paths in them.

    Args:
        text: The text of the file.

    Raises:
        SyntaxError: If the text is not valid Python.
    """
    source = _Source(text)
    module = Module(text)
    moved, staying = _sort_chains(source, module)
    wanted: dict[str, set[str]] = defaultdict(set)
    for chain, origin in moved:
        wanted[chain.name].add(origin.module)
    edits = [_edit_chain(source, chain, origin) for chain, origin in moved]
    for node in module.imports:
        new = (
            _rewrite_from(node)
            if isinstance(node, ast.ImportFrom)
            else _rewrite_import(
                node, {n: m for n, m in wanted.items() if n not in staying}, wanted
            )
        )
        if new and not source.has_comment(node):
            edits.append(source.replace(node, new))
    return source.apply(edits)


def _sort_chains(source: _Source, module: Module) -> tuple[list[tuple[Chain, Origin]], set[str]]:
    """Split chains into those that eng can replace, and the names that must stay."""
    moved: list[tuple[Chain, Origin]] = []
    staying = set(module.quoted)
    for chain in module.chains:
        origin = None if "eng" in module.assigned else _find_chain_origin(chain)
        if origin is not None and source.is_located(chain.node):
            moved.append((chain, origin))
        else:
            staying.add(chain.name)
    return moved, staying


def _find_chain_origin(chain: Chain) -> Origin | None:
    """Return the origin of a chain in eng; further attributes are those of that object."""
    if not isinstance(getattr(chain.node, "ctx", None), ast.Load):
        return None
    module, rest = split_path(chain.path)
    offered = offered_by(module)
    origin = offered.origins.get(rest[0]) if offered is not None and rest else None
    return None if origin is None or _is_alias(origin) else origin


def _is_alias(origin: Origin) -> bool:
    return origin.module.startswith("eng.mmengine")


def _edit_chain(source: _Source, chain: Chain, origin: Origin) -> _Edit:
    _, rest = split_path(chain.path)
    return source.replace(chain.node, [".".join([origin.module, origin.name, *rest[1:]])])


def _rewrite_from(node: ast.ImportFrom) -> list[str]:
    """Return the import statements from eng, empty if nothing changes."""
    homes: dict[str, list[str]] = defaultdict(list)
    for name in node.names:
        origin = find_origin(f"{node.module}.{name.name}")
        if origin is None or _is_alias(origin):
            homes[str(node.module)].append(_format_alias(name.name, name.asname or name.name))
        else:
            homes[origin.module].append(_format_alias(origin.name, name.asname or name.name))
    if list(homes) == [node.module]:
        return []
    return [f"from {home} import {', '.join(names)}" for home, names in sorted(homes.items())]


def _format_alias(name: str, bound: str) -> str:
    return name if name == bound else f"{name} as {bound}"


def _rewrite_import(
    node: ast.Import, moved: dict[str, set[str]], wanted: dict[str, set[str]]
) -> list[str]:
    """Return the statements for a plain import.

    Args:
        node: The statement.
        moved: Required modules of eng, by names of which every use is replaced.
        wanted: Required modules of eng, by names of which some uses are replaced.
    """
    kept, added = [], set()
    for name in node.names:
        bound = name.asname or name.name.partition(".")[0]
        of_mmengine = name.name.partition(".")[0] == "mmengine"
        if of_mmengine:
            added |= wanted.get(bound, set())
        if not (of_mmengine and bound in moved):
            kept.append(_format_alias(name.name, name.asname or name.name))
    if not added:
        return []
    kept_statement = [f"import {', '.join(kept)}"] if kept else []
    return [*(f"import {module}" for module in sorted(added)), *kept_statement]


class _Source:
    """The text as bytes, the unit of column offsets in the parser."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()
        ends = list(_END_OF_LINE.finditer(self._data))
        self._starts = [0, *(end.end() for end in ends)]
        self._end_of_line = ends[0][0].decode() if ends else "\n"
        self._comments = list(_find_comments(text))

    def has_comment(self, node: ast.stmt) -> bool:
        """Whether a statement contains a comment."""
        last = (int(node.end_lineno or 0), int(node.end_col_offset or 0))
        return any((node.lineno, node.col_offset) <= place < last for place in self._comments)

    def is_located(self, node: ast.expr) -> bool:
        """Whether the text at the position of a node is that node; not so in some f-strings."""
        start, end = self._locate(node)
        try:
            found = ast.parse(f"({self._data[start:end].decode()})", mode="eval")
        except (SyntaxError, UnicodeDecodeError):
            return False
        return ast.dump(found.body) == ast.dump(node)

    def _locate(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return the start and end of a node in the data."""
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[int(node.end_lineno or 0) - 1] + int(node.end_col_offset or 0)

    def replace(self, node: ast.stmt | ast.expr, lines: list[str]) -> _Edit:
        """Return the edit that replaces a node by lines."""
        start, end = self._locate(node)
        before = self._data[self._starts[node.lineno - 1] : start].decode()
        if before.strip() or self._is_followed(end):
            return _Edit(start, end, "; ".join(lines))
        wrapped = [_wrap(line, before, self._end_of_line) for line in lines]
        return _Edit(start, end, f"{self._end_of_line}{before}".join(wrapped))

    def _is_followed(self, end: int) -> bool:
        """Whether another statement follows on the same line."""
        return _END_OF_LINE.split(self._data[end:], 1)[0].lstrip().startswith(b";")

    def apply(self, edits: Iterable[_Edit]) -> str:
        """Apply edits that do not overlap."""
        data = self._data
        for edit in sorted(edits, reverse=True):
            data = data[: edit.start] + edit.text.encode() + data[edit.end :]
        return data.decode()


def _find_comments(text: str) -> Iterator[tuple[int, int]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start


def _wrap(line: str, indent: str, end_of_line: str) -> str:
    head, _, names = line.partition(" import ")
    if len(indent + line) <= _LINE_LENGTH or not names:
        return line
    inner = "".join(f"{indent}    {name},{end_of_line}" for name in names.split(", "))
    return f"{head} import ({end_of_line}{inner}{indent})"
