"""Figures of curves that are readable on white and on black."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

GREY, BLUE, ORANGE, GREEN = "#888888", "#3b82f6", "#f59e0b", "#10b981"
PICTURES = Path(__file__).parents[1] / "pages" / "pictures"


def new_figure(xlabel: str, ylabel: str, width: float = 6.4, height: float = 3.0) -> Any:
    """A figure with one pair of axes."""
    # A fixed salt: equal curves make equal files.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "eng", "font.size": 10})
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    axes.set_xlabel(xlabel, color=GREY)
    axes.set_ylabel(ylabel, color=GREY)
    axes.tick_params(colors=GREY)
    for name, spine in axes.spines.items():
        spine.set_color(GREY)
        spine.set_visible(name in ("left", "bottom"))
    return figure, axes


def save(figure: Any, name: str) -> None:
    """Save a figure as `docs/pages/pictures/NAME.svg`, without a date."""
    if figure.axes[0].get_legend_handles_labels()[1]:
        figure.axes[0].legend(frameon=False, labelcolor=GREY)
    figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None}, transparent=True)
    plt.close(figure)
