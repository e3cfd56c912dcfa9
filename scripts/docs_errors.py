"""The page of errors, out of a table of messages, and what provokes each of them."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shlex
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill, indent
from typing import Any

from docs_commands import page_title
from workspace import ROOT, tomllib

PAGE = Path("docs/pages/reference/errors.md")
TABLE = ROOT / "docs" / "errors.toml"
LONGEST_TITLE = 100
HEAD = """\
# Errors

Messages that you can meet, each with its cause and what to do. Search this page for a part of
yours that names nothing of your own files. The folder of the config is left out here.
"""


def read_errors() -> list[dict[str, Any]]:
    """The table of errors."""
    errors: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["error"]
    return errors


def render() -> dict[Path, str]:
    """The text of the page, by its path below the repository."""
    lines, section = [HEAD], ""
    for error in read_errors():
        if error["section"] != section:
            section = error["section"]
            lines.append(f"## {section}\n")
        lines += _entry(error)
    return {PAGE: "\n".join(lines).rstrip() + "\n"}


def _entry(error: dict[str, Any]) -> Iterator[str]:
    message = error["message"].strip()
    yield f"### {_escape(error.get('title') or _title(message))}\n"
    yield indent(message, "    ") + "\n"
    yield fill(f"**Cause.** {error['cause']}", 118, break_on_hyphens=False) + "\n"
    link = (
        f" See [{page_title(error['guide'])}](../{error['guide']}.md)." if "guide" in error else ""
    )
    yield (
        fill(
            f"**What to do.** {error['fix']}{link}",
            118,
            break_on_hyphens=False,
            break_long_words=False,
        )
        + "\n"
    )


def _title(message: str) -> str:
    """The first line, without place and kind."""
    line = message.splitlines()[0].removeprefix("eng: ")
    line = re.sub(r"^(?:\w+Error: |[\w./]+\.(?:py|yaml|json|toml)(?::\d+)?: )+", "", line)
    if len(line) <= LONGEST_TITLE:
        return line
    ends = [end.start() for end in re.finditer(r"[;,:.] ", line[:LONGEST_TITLE])]
    return f"{line[: ends[-1] if ends and ends[-1] > 50 else line.rfind(' ', 0, LONGEST_TITLE)]} …"


def _escape(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]{}#|])", r"\\\1", text)


def provoke(error: dict[str, Any], folder: Path) -> str:
    """The message that an error of the table has, provoked in a fresh folder."""
    for program in ("tiny.py", "config.py"):
        shutil.copy(ROOT / "docs" / "programs" / program, folder)
    for name, text in error.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with _inside(folder):
        said = _run_command(error["command"]) if "command" in error else _run_code(error["code"])
    return said.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")


def _run_command(command: str) -> str:
    from eng.cli import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = main(shlex.split(command))
    assert status == 2, f"eng {command} ended with {status}"
    lines = said.getvalue().splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("eng: "))
    return "\n".join(lines[begin:])


def _run_code(code: str) -> str:
    try:
        exec(code, {"__name__": "__main__"})
    except Exception as error:
        return f"{type(error).__name__}: {error.args[0] if isinstance(error, KeyError) else error}"
    raise AssertionError(f"nothing is wrong with\n{code}")


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    logging.disable()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.chdir(before)
        sys.path.remove(str(folder))
