"""Find public names and config keys that no page of the reference describes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from workspace import ROOT

RUNNER = ROOT / "packages" / "runner" / "src" / "eng" / "runner" / "runner.py"
KEYS = ROOT / "docs" / "pages" / "reference" / "config-keys.md"


def find_missing_names(site: Path) -> list[str]:
    """Public names of packages that have no entry on the page of their package."""
    from eng.all.exports import EXPORTS

    missing: list[str] = []
    for package, names in EXPORTS.items():
        html = (site / "reference" / "api" / f"{package}.html").read_text(encoding="utf-8")
        entries = set(re.findall(rf'id="eng\.{package}\.([^"]+)"', html))
        elsewhere = html.partition('id="also-importable-from-here"')[2]
        listed = set(re.findall(r"<td><code>([^<]+)</code></td>", elsewhere))
        missing += [f"eng.{package}.{name}" for name in names if name not in entries | listed]
    return missing


def find_missing_keys() -> list[str]:
    """Arguments of the Runner without a heading on the page of config keys."""
    headings = re.findall(r"^### `(\w+)`", KEYS.read_text(encoding="utf-8"), re.MULTILINE)
    return [key for key in runner_keys() if key not in headings]


def runner_keys() -> Iterator[str]:
    """The arguments of the Runner, as its source has them."""
    tree = ast.parse(RUNNER.read_text(encoding="utf-8"))
    (runner,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Runner"]
    (init,) = [n for n in runner.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    for argument in [*init.args.args[1:], *init.args.kwonlyargs]:
        yield argument.arg
