"""Write the curves of runs as one self-contained HTML page.

The page has its own code, which draws on a canvas: libraries for plots that are shipped as Python
packages have megabytes of JavaScript, and those that are small would have to be copied here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from .curves import Curve, RunCurves
from .panels import COLORS

__all__ = ["write_page"]


def write_page(
    runs: Sequence[RunCurves],
    panels: Sequence[str],
    file: Path,
    smoothing: float = 0.0,
    log_y: bool = False,
) -> None:
    """Write a page with a panel for each name, which needs no network.

    Args:
        runs: The runs.
        panels: Names of curves.
        file: The file, which is replaced.
        smoothing: Smoothing that is set at first, from 0 to below 1. Defaults to 0.
        log_y: Whether values are on logarithmic axes at first. Defaults to False.
    """
    data = {
        "panels": list(panels),
        "smoothing": smoothing,
        "logY": log_y,
        "runs": [
            {
                "name": run.name,
                "color": COLORS[place % len(COLORS)],
                "curves": {name: _pack(run.curves[name]) for name in panels if name in run.curves},
            }
            for place, run in enumerate(runs)
        ],
    }
    # In a script element, only "</" and "<!--" could end it early; the two are data here.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    title = escape(", ".join(run.name for run in runs))
    parts = {name: _read(name) for name in ("page.html", "page.css", "page.js")}
    page = parts["page.html"]
    for mark, part in (
        ("TITLE", title),
        ("STYLE", parts["page.css"]),
        ("CODE", parts["page.js"]),
        ("DATA", text),
    ):
        before, _, after = page.partition(f"@@{mark}@@")
        page = before + part + after
    file.write_text(page, encoding="utf-8")


def _pack(curve: Curve) -> list[list[float | None]]:
    """Shorten a curve to steps, and values of seven digits; None where a value is not finite."""
    values = [float(f"{v:.7g}") if math.isfinite(v) else None for v in curve.values]
    return [list(curve.steps), values]


def _read(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")
