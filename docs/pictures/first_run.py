"""The loss of the run of the first tutorial."""

import tempfile
from pathlib import Path

from curves import BLUE, new_figure, save
from tiny_runs import train


def draw() -> None:
    """Train the tiny job and draw its losses."""
    with tempfile.TemporaryDirectory() as folder:
        losses = train(Path(folder))
    figure, axes = new_figure("iteration", "training loss")
    axes.plot(list(losses), list(losses.values()), color=BLUE)
    save(figure, "first_run")


if __name__ == "__main__":
    draw()
