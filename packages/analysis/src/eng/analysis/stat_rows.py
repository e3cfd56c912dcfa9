"""Arrange parameters, flops and activations of modules in rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import nn

from .module_names import canonical_names

__all__ = ["Row", "Stats", "collect_rows", "rows_to_show"]

Value: TypeAlias = float | str
#: Values of one module by column. A column is missing if its value is unknown.
Stats: TypeAlias = dict[str, Value]


@dataclass
class Row:
    """A module or a parameter.

    Attributes:
        name: Its full name; the model is ``''``.
        stats: Its values.
        children: Its submodules and parameters.
    """

    name: str
    stats: Stats
    children: list[Row] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether every value is zero, including the children."""
        return not any(self.stats.values()) and all(child.is_empty for child in self.children)


def collect_rows(
    model: nn.Module,
    columns: Mapping[str, Mapping[str, float]],
    uncalled: Mapping[str, Collection[str]],
    leaves: Mapping[str, Stats],
) -> Row:
    """Arrange values by the modules of a model.

    Args:
        model: The model.
        columns: For each column, values by module; a missing one is zero.
        uncalled: For each column, the modules whose values are unknown.
        leaves: Values of parameters by name.

    Returns:
        The row of the model.
    """
    rows: dict[str, Row] = {}
    leaves_of: defaultdict[str, list[Row]] = defaultdict(list)
    for name, stats in leaves.items():
        leaves_of[name.rpartition(".")[0]].append(Row(name, stats))
    for name in canonical_names(model).values():
        stats = {
            column: values.get(name, 0)
            for column, values in columns.items()
            if name not in uncalled.get(column, ())
        }
        rows[name] = Row(name, stats, leaves_of[name])
        if name:  # parents come first
            rows[name.rpartition(".")[0]].children.append(rows[name])
    return rows[""]


def rows_to_show(root: Row, max_depth: int) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a table with their levels.

    Rows of zeros are omitted, and a module with a single child is merged with it if their values
    are equal.

    Args:
        root: Row of the model, of level 0.
        max_depth: The last level.

    Yields:
        The level and the row.
    """
    waiting = [(0, root)]
    while waiting:
        level, row = waiting.pop()
        row = _merge_chain(row)
        yield level, row
        if level < max_depth:
            below = [child for child in row.children if not child.is_empty]
            waiting += [(level + 1, child) for child in reversed(below)]


def _merge_chain(row: Row) -> Row:
    while True:
        children = [child for child in row.children if not child.is_empty]
        if len(children) != 1:
            return row
        child = children[0]
        shared = row.stats.keys() & child.stats.keys()
        if any(row.stats[column] != child.stats[column] for column in shared):
            return row
        row = Row(child.name, row.stats | child.stats, child.children)
