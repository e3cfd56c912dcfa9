"""Draw where memory goes, for a network of 25 million parameters trained by Adam."""

from curves import BLUE, GREEN, GREY, ORANGE, new_figure, save

PARAMETERS = 25e6
#: Numbers kept for the backward pass of one image of 224 by 224, in a ResNet-50.
ACTIVATIONS = 22e6
PARTS = [
    ("parameters", GREY, lambda batch, size: 4 * PARAMETERS),
    ("gradients", GREEN, lambda batch, size: 4 * PARAMETERS),
    ("optimizer", ORANGE, lambda batch, size: 8 * PARAMETERS),
    ("activations", BLUE, lambda batch, size: size * ACTIVATIONS * batch),
]
ROWS = [("batch 64", 64, 4), ("batch 64, bfloat16", 64, 2), ("4 x batch 16", 16, 4)]


def draw() -> None:
    """Bars in GiB, from sizes alone."""
    figure, axes = new_figure("GiB", "", height=2.2)
    for place, (_, batch, size) in enumerate(ROWS):
        left = 0.0
        for name, color, count in PARTS:
            width = count(batch, size) / 2**30
            axes.barh(place, width, left=left, color=color, label=name if place == 0 else None)
            left += width
    axes.set_yticks(range(len(ROWS)), [name for name, _, _ in ROWS])
    axes.invert_yaxis()
    save(figure, "memory")


if __name__ == "__main__":
    draw()
