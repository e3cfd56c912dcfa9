"""Draw the wheels in rows: each needs only wheels of its own row and of those below."""

from pathlib import Path

ROWS = [
    ("everything", ["all", "mmengine"]),
    ("use", ["hub", "infer"]),
    ("train", ["hooks", "runner"]),
    ("parts", ["dataset", "evaluator", "optim", "model", "analysis", "vis"]),
    ("base", ["device", "dist", "dl-utils", "structures", "checkpoint"]),
    ("no torch", ["utils", "cli", "registry", "fileio", "config", "logging"]),
]
WIDTH, ROW, BOX, GAP, LEFT = 760, 52, 98, 8, 110
GREY = "#888888"


def draw() -> str:
    """The picture as SVG, readable on white and on black."""
    height = ROW * len(ROWS) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13" fill="{GREY}">'
    ]
    for number, (name, wheels) in enumerate(ROWS):
        top = 8 + number * ROW
        parts.append(f'<text x="4" y="{top + 23}" font-weight="bold">{name}</text>')
        for place, wheel in enumerate(wheels):
            left = LEFT + place * (BOX + GAP)
            parts.append(
                f'<rect x="{left}" y="{top}" width="{BOX}" height="36" rx="6" fill="{GREY}" '
                f'fill-opacity="0.12" stroke="{GREY}"/>'
                f'<text x="{left + BOX / 2:g}" y="{top + 23}" text-anchor="middle">{wheel}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("pages/pictures/wheels.svg").write_text(draw(), "utf-8")
