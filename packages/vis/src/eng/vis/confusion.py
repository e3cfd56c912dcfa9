"""Draw a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eng.utils import ArgumentValueError

__all__ = ["draw_confusion_matrix"]

#: Up to so many classes, cells have numbers and axes a name for each class.
_MAX_NUMBERS, _MAX_NAMES = 25, 60


def draw_confusion_matrix(
    matrix: np.ndarray | Sequence[Sequence[int]],
    classes: Sequence[str] | None = None,
    title: str = "",
    normalize: bool = True,
) -> np.ndarray:
    """Draw a confusion matrix as an image.

    Args:
        matrix: Number of elements of class i that are predicted as class j, of shape (classes,
            classes).
        classes: Names of classes; classes beyond them are named by their labels. Defaults to None.
        title: Title of the image. Defaults to none.
        normalize: Whether cells show shares of the elements of their class, in percent, rather than
            counts. Defaults to True.

    Returns:
        The image, RGB, of shape (height, width, 3), uint8.

    Raises:
        ValueError: If the matrix is not square, or empty.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ArgumentValueError(
            f"matrix must have the shape (classes, classes), not {counts.shape}"
        )
    size = len(counts)
    names = [str(name) for name in (classes or ())][:size]
    names += [str(label) for label in range(len(names), size)]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = min(14.0, max(3.4, 0.42 * size + 1.6))
    figure = Figure(figsize=(side + 0.8, side), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(
        shares if normalize else counts, cmap="Blues", vmin=0, vmax=1 if normalize else None
    )
    figure.colorbar(
        shown, ax=axes, fraction=0.046, label="share of targets" if normalize else "count"
    )
    axes.set(xlabel="predicted", ylabel="target")
    axes.set_title(title, parse_math=False)
    if size <= _MAX_NAMES:
        rotation = 0 if max(map(len, names)) <= 2 else 90
        axes.set_xticks(range(size), names, rotation=rotation, parse_math=False)
        axes.set_yticks(range(size), names, parse_math=False)
    if size <= _MAX_NUMBERS:
        values = shares if normalize else counts
        _write_numbers(axes, values, 1 if normalize else values.max(), normalize)
    return _render(figure)


def _write_numbers(axes: Axes, values: np.ndarray, top: float, normalize: bool) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not value:
            continue
        text = f"{100 * value:.0f}" if normalize else f"{value}"
        color = "white" if value > 0.6 * top else "black"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)


def _render(figure: Figure) -> np.ndarray:
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
