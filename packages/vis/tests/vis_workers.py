"""Functions that several processes run, each in its own process group."""

from eng.config import Config
from eng.vis import Visualizer


def record_to_tensorboard(folder):
    visualizer = Visualizer("v", vis_backends=[{"type": "TensorboardVisBackend"}], save_dir=folder)
    visualizer.add_config(Config({"a": 1}))
    visualizer.add_scalar("loss", 1, step=1)
    visualizer.close()
