"""Draw the pictures of the guide to curves and pictures, from a short training."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from eng.config import Config
from eng.runner import Runner
from eng.vis import Visualizer
from eng.vis.runs import read_curves

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "pages" / "pictures"
GREY, BLUE, ORANGE = "#808080", "#3b82c4", "#c77a1a"
SCALE = 6


def make_collage() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Put 12 digits next to each other; the image, its strokes, and the classes."""
    images, labels = load_digits(return_X_y=True)
    rows = [np.hstack([images[4 * r + c].reshape(8, 8) for c in range(4)]) for r in range(3)]
    grey = np.kron(np.vstack(rows), np.ones((SCALE, SCALE)))
    pixels = (255 - grey * 15).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, axis=2), grey > 6, [int(each) for each in labels[:12]]


def train_net() -> nn.Module:
    """Train a convolution on the digits for a moment."""
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    inputs = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    inputs, targets = F.interpolate(inputs, scale_factor=2.0), torch.tensor(labels)
    first = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU())
    head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 16 * 16, 10))
    optimizer = torch.optim.Adam([*first.parameters(), *head.parameters()], lr=0.003)
    for _ in range(30):
        optimizer.zero_grad()
        loss: Tensor = F.cross_entropy(head(first(inputs)), targets)
        loss.backward()
        optimizer.step()
    return first


def draw_outputs() -> Figure:
    """Draw boxes and masks, a feature map, and channels of it."""
    image, strokes, labels = make_collage()
    size = 8 * SCALE
    threes = [i for i, label in enumerate(labels) if label == 3]
    boxes = torch.tensor(
        [[i % 4 * size, i // 4 * size, (i % 4 + 1) * size, (i // 4 + 1) * size] for i in threes]
    )
    visualizer = Visualizer(image=image)
    visualizer.draw_binary_masks(strokes, colors="tab:orange", alphas=0.5)
    visualizer.draw_bboxes(boxes, edge_colors="b", line_widths=2)
    visualizer.draw_texts(["three"] * len(threes), boxes[:, :2] + 2, colors="b", font_sizes=12)
    boxed = visualizer.get_image()
    grey = torch.tensor(255 - image[..., 0], dtype=torch.float32)[None, None] / 255
    first = train_net()
    with torch.no_grad():
        features = first(F.interpolate(grey, scale_factor=2 / SCALE, mode="area"))[0]
    heat = Visualizer.draw_featmap(features, image, channel_reduction="select_max")
    grid = Visualizer.draw_featmap(features, channel_reduction=None, topk=4, arrangement=(2, 2))
    figure = Figure(figsize=(7.2, 2.1), layout="constrained")
    titles = ("boxes, texts and a mask", "feature map, select_max", "four channels")
    for axes, title, pixels in zip(figure.subplots(1, 3), titles, (boxed, heat, grid), strict=True):
        axes.imshow(pixels)
        axes.set_title(title, fontsize=9, color=GREY)
        axes.set_axis_off()
    return figure


def draw_curves() -> Figure:
    """Train the job of the pages and draw its curves."""
    import sys

    sys.path.insert(0, str(ROOT / "programs"))
    cfg: Any = Config.fromfile(ROOT / "programs" / "config.py")
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        cfg.update(work_dir=folder, log_level="ERROR")
        cfg.default_hooks = dict(logger=dict(type="LoggerHook", interval=2))
        Runner.from_cfg(cfg).train()
        curves = read_curves(folder).curves
    panels = zip(figure.subplots(1, 2), ("loss", "accuracy"), (BLUE, ORANGE), strict=True)
    for axes, name, color in panels:
        axes.plot(curves[name].steps, curves[name].values, color=color, marker=".")
        axes.set_title(name, fontsize=9, color=GREY)
        axes.set_xlabel("iteration", color=GREY)
        axes.patch.set_alpha(0)
        axes.tick_params(colors=GREY, labelsize=8)
        for spine in axes.spines.values():
            spine.set_color(GREY)
    return figure


if __name__ == "__main__":
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "eng"})
    for name, draw in (("drawings", draw_outputs), ("curves", draw_curves)):
        draw().savefig(FOLDER / f"{name}.svg", transparent=True, metadata={"Date": None})
