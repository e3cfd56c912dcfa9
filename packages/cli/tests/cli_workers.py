"""Commands that tests advertise, and the packages that do so."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from eng.cli import Command
from eng.utils import UserError

ADVERTISED = """[eng.commands]
say = cli_workers:SAY
fail = cli_workers:FAIL
broken = not_installed_anywhere:X
wrong = cli_workers:ADVERTISED
"""


def _add_words(parser: ArgumentParser) -> None:
    parser.add_argument("words", nargs="*")


def _say(args: Namespace) -> int:
    print(*args.words)
    return len(args.words)


def _fail(args: Namespace) -> None:
    kind = args.words[0]
    if kind == "note":
        error: BaseException = TypeError("no argument 'lrr'")
        error.__notes__ = ["while SGD was built", "while the wrapper was built"]  # type: ignore[attr-defined]
        raise error
    raise {
        "user": UserError("model:\n  is missing"),
        "colour": UserError("use \x1b[1;31m--out\x1b[0m"),
        "file": FileNotFoundError(2, "No such file or directory", "a/b.pth"),
        "syntax": SyntaxError("'(' was never closed", ("c.py", 3, 1, "(")),
        "bug": RuntimeError("size of tensor"),
        "stop": KeyboardInterrupt(),
        "stop with words": KeyboardInterrupt("interrupted; go on with --resume"),
    }[kind]


SAY = Command("say words", _add_words, _say)
FAIL = Command("fail in a way", _add_words, _fail)


def advertise(folder: Path, name: str = "someones-tools", entries: str = ADVERTISED) -> None:
    """Install a package of somebody else, as far as its entry points go."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)
