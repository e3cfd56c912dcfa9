"""Display data elements in notebooks."""

from __future__ import annotations

import html
import reprlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from torch import Tensor

__all__ = ["Row", "describe", "to_html", "to_text"]

_MOST = 40
_HEAD = ("field", "type", "shape", "value")


class Row(NamedTuple):
    """A field of a data element.

    Attributes:
        name: Its name; that of meta information is in parentheses.
        kind: Class of the value, and data type of an array.
        shape: Shape of an array, or length.
        value: Short representation of the value: the range of a large array.
    """

    name: str
    kind: str
    shape: str
    value: str


def describe(name: str, value: object) -> Row:
    """Describe a field.

    Args:
        name: Its name.
        value: Its value.
    """
    kind, shape = type(value).__name__, ""
    if isinstance(value, (Tensor, np.ndarray)):
        kind = f"{kind} {str(value.dtype).removeprefix('torch.')}"
        if isinstance(value, Tensor) and value.device.type != "cpu":
            kind = f"{kind} on {value.device}"
        return Row(name, kind, " x ".join(map(str, value.shape)) or "scalar", _summarise(value))
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        shape = str(len(value))
    is_element = hasattr(value, "metainfo_keys")
    shown = ", ".join(value.all_keys()) if is_element else _shorten(value)  # type: ignore[attr-defined]
    return Row(name, kind, shape, shown)


def to_html(title: str, rows: Iterable[Row]) -> str:
    """Format fields as a table in HTML.

    Args:
        title: Caption of the table.
        rows: The fields.
    """
    head = "".join(f"<th>{each}</th>" for each in _HEAD)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<table><caption>{html.escape(title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def to_text(title: str, rows: Iterable[Row]) -> str:
    """Format fields as a table in plain text.

    Args:
        title: Line before the table.
        rows: The fields.
    """
    table = list(rows)
    widths = [max((len(row[index]) for row in table), default=0) for index in range(4)]
    lines = [
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    return "\n".join(line.rstrip() for line in [title, *lines])


def _summarise(value: Tensor | np.ndarray) -> str:
    """Return a small array, or the range of a large one."""
    size = value.numel() if isinstance(value, Tensor) else value.size
    if size <= 4:
        return _shorten(value.tolist())
    is_number = not isinstance(value, np.ndarray) or value.dtype.kind in "buif"
    if not is_number or (isinstance(value, Tensor) and value.is_complex()):
        return ""
    plain = value.detach() if isinstance(value, Tensor) else value
    return f"{float(plain.min()):.4g} to {float(plain.max()):.4g}"


def _shorten(value: object) -> str:
    text = reprlib.repr(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."
