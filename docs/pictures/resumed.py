"""The losses of a run, and of the same run killed and resumed."""

import tempfile
from pathlib import Path

from curves import BLUE, GREY, ORANGE, new_figure, save
from tiny_runs import train


def draw() -> None:
    """Train the tiny job whole, and up to iteration 30 and from there."""
    with tempfile.TemporaryDirectory() as folder:
        whole = train(Path(folder) / "whole")
        train(Path(folder) / "cut", stop_at=30)
        resumed = train(Path(folder) / "cut", resume=True)
    figure, axes = new_figure("iteration", "training loss")
    axes.plot(list(whole), list(whole.values()), color=BLUE, linewidth=5, alpha=0.5, label="whole")
    axes.plot(list(resumed), list(resumed.values()), color=ORANGE, label="resumed")
    axes.axvline(30.5, color=GREY, linestyle="--", linewidth=1)
    save(figure, "resumed")


if __name__ == "__main__":
    draw()
