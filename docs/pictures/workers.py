"""Draw reading and training in turn, and beside each other."""

from pathlib import Path

GREY, BLUE, ORANGE = "#888888", "#3b82f6", "#f59e0b"
READ, STEP = 90, 45


def draw() -> str:
    """The picture as SVG, readable on white and on black."""
    boxes = []
    for number in range(4):  # without workers: one after the other
        left = 110 + number * (READ + STEP)
        boxes += [_box(left, 20, READ, ORANGE, "read"), _box(left + READ, 20, STEP, BLUE, "step")]
    for worker in range(2):  # two workers, which read ahead
        for number in range(4):
            boxes.append(
                _box(
                    110 + worker * READ // 2 + number * READ, 90 + worker * 34, READ, ORANGE, "read"
                )
            )
    for number in range(8):
        boxes.append(_box(110 + READ + number * STEP, 158, STEP, BLUE, "step"))
    names = [(40, "no workers"), (110, "worker 1"), (144, "worker 2"), (178, "training")]
    texts = [f'<text x="4" y="{y}">{name}</text>' for y, name in names]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 205" '
            f'font-family="sans-serif" font-size="13" fill="{GREY}">',
            *texts,
            *boxes,
            '<text x="560" y="200">time &#8594;</text>',
            "</svg>",
            "",
        ]
    )


def _box(left: int, top: int, width: int, color: str, text: str) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{width - 2}" height="28" rx="4" fill="{color}" '
        f'fill-opacity="0.25" stroke="{color}"/>'
        f'<text x="{left + width / 2 - 1:g}" y="{top + 19}" text-anchor="middle">{text}</text>'
    )


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("pages/pictures/workers.svg").write_text(draw(), "utf-8")
