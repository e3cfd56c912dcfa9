"""The loss of the run of the first tutorial."""

import os
import sys
import tempfile
from pathlib import Path

from curves import BLUE, new_figure, read_scalars, save

from eng.config import Config
from eng.runner import Runner


def draw() -> None:
    """Train the tiny job and draw its losses, of each second iteration."""
    programs = Path(__file__).parents[1] / "programs"
    sys.path.insert(0, str(programs))
    cfg = Config.fromfile(programs / "config.py")
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        cfg.log_processor = dict(window_size=1)
        cfg.default_hooks = dict(logger=dict(type="LoggerHook", interval=2))
        Runner.from_cfg(cfg).train()
        figure, axes = new_figure("iteration", "training loss")
        axes.plot(*read_scalars(Path(folder), "loss"), color=BLUE)
    save(figure, "first_run")


if __name__ == "__main__":
    os.environ["CI"] = "1"
    draw()
