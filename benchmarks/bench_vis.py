"""Speed of eng.vis: boxes drawn on an image, against a figure with axes of matplotlib."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from measure import compare, report_ratio, run_all

from eng.vis import Visualizer

BOXES = 100
STEPS = 10
TARGETS = {"at once": 0.5, f"in {STEPS} steps, each looked at": 0.25}


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


def draw():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    corners = rng.uniform(0, 300, (BOXES, 2))
    boxes = np.hstack([corners, corners + rng.uniform(5, 150, (BOXES, 2))])
    good = True
    for (what, target), groups in zip(
        TARGETS.items(), ([boxes], np.split(boxes, STEPS)), strict=True
    ):
        assert visualizer(image, groups).shape == figure(image, groups).shape
        timed = compare(
            lambda groups=groups: visualizer(image, groups),
            lambda groups=groups: figure(image, groups),
            rounds=15,
        )
        good &= report_ratio(f"{BOXES} boxes {what}", timed, target, "a figure with axes")
    return good


if __name__ == "__main__":
    run_all(draw)
