"""Format metric values as plain-text tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import SupportsFloat, TypeGuard

__all__ = ["format_metrics", "format_table"]


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]], digits: int = 4) -> str:
    """Format rows as a table in plain text.

    Args:
        header: Names of the columns.
        rows: As many cells each. Floats are rounded, NaN is shown as ``-``.
        digits: Digits after the point. Defaults to 4.

    Returns:
        Lines without trailing spaces. Numbers are aligned to the right, other cells to the left.

    Examples:
        >>> print(format_table(['class', 'f1'], [['cat', 0.5], ['dog', 1.0]]))
        class      f1
        cat    0.5000
        dog    1.0000
    """
    cells = [[_format(cell, digits) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    numeric = [
        bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(header))
    ]
    lines = [
        "  ".join(
            f"{cell:>{width}}" if right else f"{cell:<{width}}"
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [list(header), *cells]
    ]
    return "\n".join(lines)


def format_metrics(
    metrics: Mapping[str, object], best: Mapping[str, float] | None = None, digits: int = 4
) -> str:
    """Format the values of an evaluation as a small table.

    Args:
        metrics: Metric values by name. Only numbers are shown.
        best: The best values so far by name, for a second column; a value that equals the best is
            marked with ``*``. Defaults to None, one column.
        digits: Digits after the point. Defaults to 4.

    Returns:
        The table.

    Examples:
        >>> print(format_metrics({'accuracy': 0.75, 'loss': 0.5}, best={'accuracy': 0.75}))
        metric     value    best
        accuracy  0.7500  0.7500  *
        loss      0.5000       -
    """
    numbers = {name: float(value) for name, value in metrics.items() if _is_number(value)}
    if best is None:
        return format_table(["metric", "value"], [list(each) for each in numbers.items()], digits)
    rows = [
        [name, value, float(best.get(name, math.nan)), "*" if best.get(name) == value else ""]
        for name, value in numbers.items()
    ]
    return format_table(["metric", "value", "best", ""], rows, digits)


def _format(cell: object, digits: int) -> str:
    if isinstance(cell, float):
        return "-" if math.isnan(cell) else f"{cell:.{digits}f}"
    return str(cell)


def _is_number(value: object) -> TypeGuard[SupportsFloat]:
    """Whether a value is a number, also one of numpy or of torch."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        return False
    return getattr(value, "ndim", 0) == 0
