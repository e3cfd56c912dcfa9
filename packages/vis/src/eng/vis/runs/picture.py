"""Plot the curves of runs to a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .curves import Curve, RunCurves
from .panels import COLORS
from .smoothing import smooth

__all__ = ["plot_picture"]


def plot_picture(
    runs: Sequence[RunCurves],
    panels: Sequence[str],
    file: Path,
    smoothing: float = 0.0,
    log_y: bool = False,
) -> None:
    """Plot a panel for each name to a picture.

    Args:
        runs: The runs.
        panels: Names of curves.
        file: The file, which is replaced; a format of matplotlib by its suffix.
        smoothing: Weight of the past in the exponential moving average, from 0 to below 1; the
            curve itself is then drawn thinly. Defaults to 0.
        log_y: Whether values are on logarithmic axes. Defaults to False.
    """
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    height = 2.6 * rows + 0.3 * len(runs) + 0.2
    figure = Figure(figsize=(4.4 * columns + 0.2, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(grid, panels, strict=False):
        for place, run in enumerate(runs):
            if name in run.curves:
                _plot(axes, run.curves[name], COLORS[place % len(COLORS)], smoothing)
        axes.set_title(name, fontsize=10, loc="left", parse_math=False)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=8)
        if log_y:
            axes.set_yscale("log")
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[max(0, len(panels) - columns) : len(panels)]:
        axes.set_xlabel("iteration", fontsize=8)
    lines = [Line2D([], [], color=COLORS[place % len(COLORS)]) for place in range(len(runs))]
    legend = figure.legend(
        lines, [run.name for run in runs], loc="outside upper left", fontsize=9, frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    figure.savefig(file)


def _plot(axes: Axes, curve: Curve, color: str, smoothing: float) -> None:
    marker = "." if len(curve.steps) <= 30 else ""
    if smoothing:
        axes.plot(curve.steps, curve.values, color=color, alpha=0.25, linewidth=0.8)
        axes.plot(curve.steps, smooth(curve.values, smoothing), color=color, linewidth=1.4)
    else:
        axes.plot(curve.steps, curve.values, color=color, linewidth=1.3, marker=marker)
