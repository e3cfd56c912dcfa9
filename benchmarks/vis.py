"""Speed of eng.vis: boxes drawn on an image, against a figure with axes of matplotlib."""

import sys
import timeit

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from eng.vis import Visualizer

BOXES = 100
STEPS = 10
TARGETS = {"at once": 0.5, f"in {STEPS} steps, each looked at": 0.25}


def millis(call, number=3):
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e3


def figure(image, groups):
    height, width = image.shape[:2]
    canvas = FigureCanvasAgg(Figure((width / 72, height / 72), dpi=72, frameon=False))
    axes = canvas.figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(image, interpolation="none")
    for boxes in groups:
        for x1, y1, x2, y2 in boxes:
            axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, edgecolor="g", facecolor="none"))
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return drawn


def visualizer(image, groups):
    drawing = Visualizer(image=image)
    for boxes in groups:
        drawn = drawing.draw_bboxes(boxes).get_image()
    return drawn


def main():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    corners = rng.uniform(0, 300, (BOXES, 2))
    boxes = np.hstack([corners, corners + rng.uniform(5, 150, (BOXES, 2))])
    good = True
    for (what, target), groups in zip(
        TARGETS.items(), ([boxes], np.split(boxes, STEPS)), strict=True
    ):
        assert visualizer(image, groups).shape == figure(image, groups).shape
        ours = millis(lambda groups=groups: visualizer(image, groups))
        plain = millis(lambda groups=groups: figure(image, groups))
        good &= ours <= target * plain
        print(
            f"{BOXES} boxes {what} {ours:.1f} ms, {ours / plain:.2f} times a figure with axes"
            f" ({plain:.1f} ms): target {target}"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
