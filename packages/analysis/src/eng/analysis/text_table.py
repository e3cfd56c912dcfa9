"""Format tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["format_size", "text_table"]

#: Lower bound, unit and its letter.
_UNITS = ((1e14, 1e15, "P"), (1e11, 1e12, "T"), (1e8, 1e9, "G"), (1e5, 1e6, "M"), (1e2, 1e3, "K"))


def format_size(x: float, sig_figs: int = 3, hide_zero: bool = False) -> str:
    """Format a count with a unit, such as ``'12.345K'``.

    Args:
        x: The count.
        sig_figs: Maximum number of decimals. Defaults to 3.
        hide_zero: Whether to return an empty string for zero. Defaults to False.

    Returns:
        The text, without trailing zeros.

    Examples:
        >>> format_size(12345), format_size(101), format_size(100), format_size(123456789)
        ('12.345K', '0.101K', '100', '0.123G')
    """
    if hide_zero and x == 0:
        return ""
    for least, unit, letter in _UNITS:
        if x > least:
            digits = f"{x / unit:.{sig_figs}f}"
            return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}{letter}"
    return str(x)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """Draw a table with a frame of ``+``, ``-`` and ``|``.

    Args:
        header: Names of the columns.
        rows: Cells, whose leading spaces are kept.
        title: Centred line above the table. Defaults to none.

    Returns:
        The table, without a trailing newline.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = f"+{'+'.join('-' * (width + 2) for width in widths)}+"
    body = (_format_line(row, widths) for row in rows)
    lines = [rule, _format_line(header, widths), rule, *body, rule]
    if title:
        lines.insert(0, title.center(len(rule)).rstrip())
    return "\n".join(lines)


def _format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
