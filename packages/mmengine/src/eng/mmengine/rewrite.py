"""Rewrite imports of mmengine in a file to the packages of eng."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .offered import Origin, find_origin, offered_by, split_path
from .uses import Chain, Module

__all__ = ["rewrite"]

_LINE_LENGTH = 88


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def rewrite(text: str) -> str:
    """Return the text of a file with eng for mmengine, as far as eng has what the file uses.

    What eng lacks is still imported from mmengine. Strings stay: the paths in them lead to eng by
    the alias.

    Args:
        text: The text, of which anything else stays as it is.

    Raises:
        SyntaxError: It is not Python.
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
    """Chains that can begin with eng, and names of the file that are needed as they are."""
    moved: list[tuple[Chain, Origin]] = []
    staying = set(module.quoted)
    for chain in module.chains:
        origin = None if "eng" in module.assigned else _origin_of(chain)
        if origin is not None and source.is_at_its_place(chain.node):
            moved.append((chain, origin))
        else:
            staying.add(chain.name)
    return moved, staying


def _origin_of(chain: Chain) -> Origin | None:
    """Where eng has what a chain leads to; its further attributes are those of that object."""
    if not isinstance(getattr(chain.node, "ctx", None), ast.Load):
        return None
    module, rest = split_path(chain.path)
    offered = offered_by(module)
    origin = offered.origins.get(rest[0]) if offered is not None and rest else None
    return None if origin is None or _is_of_the_alias(origin) else origin


def _is_of_the_alias(origin: Origin) -> bool:
    return origin.module.startswith("eng.mmengine")


def _edit_chain(source: _Source, chain: Chain, origin: Origin) -> _Edit:
    _, rest = split_path(chain.path)
    return source.replace(chain.node, [".".join([origin.module, origin.name, *rest[1:]])])


def _rewrite_from(node: ast.ImportFrom) -> list[str]:
    """The statements that import the same from eng; none if nothing changes."""
    homes: dict[str, list[str]] = defaultdict(list)
    for name in node.names:
        origin = find_origin(f"{node.module}.{name.name}")
        if origin is None or _is_of_the_alias(origin):
            homes[str(node.module)].append(_imported(name.name, name.asname or name.name))
        else:
            homes[origin.module].append(_imported(origin.name, name.asname or name.name))
    if list(homes) == [node.module]:
        return []
    return [f"from {home} import {', '.join(names)}" for home, names in sorted(homes.items())]


def _imported(name: str, bound: str) -> str:
    return name if name == bound else f"{name} as {bound}"


def _rewrite_import(
    node: ast.Import, moved: dict[str, set[str]], wanted: dict[str, set[str]]
) -> list[str]:
    """The same for a plain import.

    Args:
        node: The statement.
        moved: Names of which every use is one of eng now, with the modules of eng that they need.
        wanted: The same for names of which only some are.
    """
    kept, added = [], set()
    for name in node.names:
        bound = name.asname or name.name.partition(".")[0]
        of_mmengine = name.name.partition(".")[0] == "mmengine"
        if of_mmengine:
            added |= wanted.get(bound, set())
        if not (of_mmengine and bound in moved):
            kept.append(_imported(name.name, name.asname or name.name))
    if not added:
        return []
    kept_statement = [f"import {', '.join(kept)}"] if kept else []
    return [*(f"import {module}" for module in sorted(added)), *kept_statement]


class _Source:
    """The bytes of a text, in which the parser counts columns."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()
        self._starts = [0]
        for line in self._data.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._end_of_line = "\r\n" if b"\r\n" in self._data else "\n"
        self._comments = list(_comments(text))

    def has_comment(self, node: ast.stmt) -> bool:
        """Whether there is a comment between the first and the last character of a statement."""
        last = (int(node.end_lineno or 0), int(node.end_col_offset or 0))
        return any((node.lineno, node.col_offset) <= place < last for place in self._comments)

    def is_at_its_place(self, node: ast.expr) -> bool:
        """Whether the text where a node is said to be is that node; in f-strings it may not be."""
        start, end = self._range(node)
        try:
            found = ast.parse(f"({self._data[start:end].decode()})", mode="eval")
        except (SyntaxError, UnicodeDecodeError):
            return False
        return ast.dump(found.body) == ast.dump(node)

    def _range(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Where a node begins and ends in the data."""
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[int(node.end_lineno or 0) - 1] + int(node.end_col_offset or 0)

    def replace(self, node: ast.stmt | ast.expr, lines: list[str]) -> _Edit:
        """Return the edit that puts lines where a node is."""
        start, end = self._range(node)
        before = self._data[self._starts[node.lineno - 1] : start].decode()
        if before.strip() or self._follows(end):
            return _Edit(start, end, "; ".join(lines))
        wrapped = [_wrap(line, before, self._end_of_line) for line in lines]
        return _Edit(start, end, f"{self._end_of_line}{before}".join(wrapped))

    def _follows(self, end: int) -> bool:
        """Whether another statement follows in the line."""
        return self._data[end:].split(b"\n", 1)[0].lstrip().startswith(b";")

    def apply(self, edits: Iterable[_Edit]) -> str:
        """Return the text after edits that do not overlap."""
        data = self._data
        for edit in sorted(edits, reverse=True):
            data = data[: edit.start] + edit.text.encode() + data[edit.end :]
        return data.decode()


def _comments(text: str) -> Iterator[tuple[int, int]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start


def _wrap(line: str, indent: str, end_of_line: str) -> str:
    head, _, names = line.partition(" import ")
    if len(indent + line) <= _LINE_LENGTH or not names:
        return line
    inner = "".join(f"{indent}    {name},{end_of_line}" for name in names.split(", "))
    return f"{head} import ({end_of_line}{inner}{indent})"
