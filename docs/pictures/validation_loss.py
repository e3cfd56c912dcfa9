"""Losses of training and of validation, over twenty epochs."""

import tempfile
from pathlib import Path

from curves import BLUE, ORANGE, new_figure, save
from tiny_runs import tiny_config

from eng.runner import Runner


def draw() -> None:
    """Train the tiny job for twenty epochs and draw both losses."""
    with tempfile.TemporaryDirectory() as folder:
        cfg = tiny_config(Path(folder), val_cfg=dict(loss=True), train_cfg=dict(max_epochs=20))
        runner = Runner.from_cfg(cfg)
        runner.train()
        summary = runner.summary
    figure, axes = new_figure("epoch", "loss")
    train = summary.history["loss"].reshape(20, -1).mean(axis=1)
    axes.plot(range(1, 21), train, color=BLUE, label="training")
    val = [validation.metrics["val_loss"] for validation in summary.validations]
    axes.plot(range(1, 21), val, color=ORANGE, label="validation")
    save(figure, "validation_loss")


if __name__ == "__main__":
    draw()
