"""What `eng train` shows on a terminal, from a real run in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import sys
import tempfile
import termios
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import pyte

DOCS = Path(__file__).parents[1]
COLUMNS, LINES = 80, 60
COLORS = {
    "default": "#cdd6f4",
    "red": "#f38ba8",
    "green": "#a6e3a1",
    "brown": "#f9e2af",
    "yellow": "#f9e2af",
    "blue": "#89b4fa",
    "magenta": "#f5c2e7",
    "cyan": "#94e2d5",
    "white": "#ffffff",
    "brightblack": "#7f849c",
}
CHARACTER, LINE, MARGIN = 8.4, 19, 18


def run(folder: Path) -> pyte.Screen:
    """Train the tiny job in a folder; return the screen at its end."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        for name in ("CI", "NO_COLOR", "COLUMNS", "LINES"):
            os.environ.pop(name, None)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "eng.cli", "train", "config.py"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    stream.feed(b"\033[1m$\033[0m eng train config.py\r\n")
    while True:
        try:
            output = os.read(terminal, 65536)
        except OSError:  # the end of a pseudo-terminal
            break
        if not output:
            break
        stream.feed(output.replace(f"{folder.resolve()}/".encode(), b""))
    _, status = os.waitpid(child, 0)
    assert status == 0, "\n".join(screen.display)
    return screen


def draw(screen: pyte.Screen) -> str:
    """The lines of a screen as SVG."""
    lines = [screen.buffer[number] for number in range(LINES)]
    while lines and not "".join(lines[-1][column].data for column in range(COLUMNS)).strip():
        lines.pop()
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">',
        f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#1e1e2e"/>',
    ]
    for number, color in enumerate(("#f38ba8", "#f9e2af", "#a6e3a1")):
        parts.append(f'<circle cx="{22 + 20 * number}" cy="20" r="6" fill="{color}"/>')
    for number, line in enumerate(lines):
        cells = [line[column] for column in range(COLUMNS)]
        column = 0
        for (color, bold), group in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
            text = "".join(cell.data for cell in group)
            if text.strip():
                start = column + len(text) - len(text.lstrip())
                weight = ' font-weight="bold"' if bold else ""
                fill = COLORS.get(color, COLORS["default"])
                parts.append(
                    f'<text x="{MARGIN + start * CHARACTER:g}" '
                    f'y="{MARGIN + 36 + number * LINE}" fill="{fill}" '
                    f'textLength="{len(text.strip()) * CHARACTER:g}" xml:space="preserve"{weight}>'
                    f"{escape(text.strip())}</text>"
                )
            column += len(text)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as given:
        for program in ("tiny.py", "config.py"):
            shutil.copy(DOCS / "programs" / program, given)
        picture = draw(run(Path(given)))
    # What differs from run to run is written as of one of them.
    picture = re.sub(r"\d{8}_\d{6}", "20261127_120000", picture)
    picture = re.sub(r"\d\d:\d\d:\d\d", "12:00:00", picture)
    (DOCS / "pages" / "pictures" / "terminal.svg").write_text(picture, encoding="utf-8")
