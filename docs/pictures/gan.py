"""Samples of the generator of the recipe for GANs, at four moments."""

import re
import tempfile
from pathlib import Path
from typing import Any

import torch
from curves import BLUE, GREY, plt, save

from eng.hooks import Hook, HookRunner
from eng.utils import override

EPOCHS = [1, 10, 30, 60]


class Snapshots(Hook):
    """Keeps samples of the generator after some epochs."""

    def __init__(self) -> None:
        self.points: dict[int, Any] = {}

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        if runner.epoch + 1 in EPOCHS:
            generator = torch.Generator().manual_seed(1)
            noise = torch.randn(200, 8, generator=generator)
            with torch.no_grad():
                self.points[runner.epoch + 1] = runner.model.generator(noise).numpy()


def draw() -> None:
    """Train the GAN of the page, and draw its samples over those of the data."""
    page = Path(__file__).parents[1] / "pages" / "recipes" / "train-a-gan.md"
    program = re.search(r'```python title="gan.py"\n(.*?)```', page.read_text("utf-8"), re.DOTALL)
    assert program is not None
    names: dict[str, Any] = {"__name__": "gan"}
    exec(compile(program[1], str(page), "exec"), names)
    seen = Snapshots()
    with tempfile.TemporaryDirectory() as folder:
        names["build"](folder, epochs=max(EPOCHS), custom_hooks=[seen]).train()
    figure, all_axes = plt.subplots(1, 4, figsize=(8, 2.2), layout="constrained")
    for axes, epoch in zip(all_axes, EPOCHS, strict=True):
        axes.scatter(*names["ring"](150).T.numpy(), s=3, color=GREY, alpha=0.4)
        axes.scatter(*seen.points[epoch].T, s=3, color=BLUE)
        axes.set_title(f"epoch {epoch}", color=GREY)
        axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        axes.set_axis_off()
    save(figure, "gan")


if __name__ == "__main__":
    draw()
