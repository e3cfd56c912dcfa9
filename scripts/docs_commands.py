"""The page of the eng command, out of its parsers."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from workspace import ROOT, tomllib

PAGE = Path("docs/pages/reference/eng-command.md")
ABOUT = ROOT / "docs" / "eng-command.toml"


def render() -> dict[Path, str]:
    """The text of the page, by its path below the repository."""
    from eng.cli.find import find_commands, load_command
    from eng.cli.parser import make_parser

    about = tomllib.loads(ABOUT.read_text(encoding="utf-8"))
    eng = Path(sys.executable).with_name("eng")
    shown = subprocess.run([eng, "--help"], capture_output=True, text=True, check=True).stdout
    lines = [about["head"].strip().replace("@overview", re.sub(r"\n{2,}", "\n", shown.strip())), ""]
    for name, found in find_commands().items():
        package = found.dist.name if found.dist else ""
        lines += _command(make_parser(name, load_command(found)), 2)
        pages = [f"[{page_title(page)}](../{page}.md)" for page in about["guides"][name]]
        lines += [f"Package: `{package}`. More: {', '.join(pages)}.\n"]
    return {PAGE: "\n".join(lines).rstrip() + "\n"}


def page_title(page: str) -> str:
    """The title of a page in the menu."""
    menu = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8")
    match = re.search(rf"- (.+): {re.escape(page)}\.md", menu)
    assert match, f"{page} is not in the menu"
    return match[1]


def _command(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"{'#' * level} {parser.prog}\n"
    for text in filter(None, (parser.description, parser.epilog)):
        yield fill(" ".join(text.split()), 118, break_on_hyphens=False) + "\n"
    arguments = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    inner = [action for action in arguments if isinstance(action, argparse._SubParsersAction)]
    rows = [row for action in arguments if action not in inner for row in _row(action)]
    if rows:
        yield "\n".join(["| argument | meaning |", "| --- | --- |", *rows, ""])
    for action in inner:
        for each in action.choices.values():
            yield from _command(each, level + 1)


def _row(action: argparse.Action) -> Iterator[str]:
    if action.dest in ("help", "debug") or (not action.option_strings and not action.help):
        return
    values = _values(action)
    names = [f"`{name}{' ' + values if values else ''}`" for name in action.option_strings]
    meaning = " ".join((action.help or "").replace("%%", "%").replace("|", "\\|").split())
    meaning = f"{meaning[:1].upper()}{meaning[1:].removesuffix('.')}."
    yield f"| {', '.join(names) or f'`{values}`'} | {meaning} |"


def _values(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    name = str(action.metavar or action.dest.upper())
    if action.choices and not action.metavar:
        name = f"{{{','.join(map(str, action.choices))}}}"
    repeated = {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}
    return repeated.get(str(action.nargs), name)
