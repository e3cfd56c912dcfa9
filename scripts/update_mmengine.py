"""Write the modules of `import mmengine` anew from their table. Run it when the table changes.

usage: python scripts/update_mmengine.py

packages/mmengine/names.toml says which names each module offers, and where eng has them. A name
that is missing there, and that a package of eng exports by now, is entered.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from workspace import ROOT, tomllib

from eng.all.exports import EXPORTS

PACKAGE = ROOT / "packages" / "mmengine"
#: Where the folder `mmengine` is written.
TREE = PACKAGE / "src" / "eng_mmengine_alias"

LINE_LENGTH = 100  # of [tool.ruff]

HEAD = '''\
"""Names of {module}, from eng.

Written by scripts/update_mmengine.py.
"""
'''


class Name(NamedTuple):
    """A line of the table: who has a name, or why nobody has."""

    name: str
    home: str
    there: str
    missing: str | None


def read(path: Path = PACKAGE / "names.toml") -> dict[str, list[Name]]:
    """The table: names of each module."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        module: [_name(name, text) for name, text in sorted(names.items())]
        for module, names in table.items()
    }


def _name(name: str, text: str) -> Name:
    if text.partition(":")[0] == "missing":
        return Name(name, "", "", text.partition(":")[2].strip())
    home, _, there = text.partition(":")
    return Name(name, home, there or name, None)


def render(table: dict[str, list[Name]]) -> dict[str, str]:
    """Text of each file of the tree, by its path."""
    files = {"mmengine/py.typed": ""}
    for module, names in table.items():
        inside = sorted(m.rpartition(".")[2] for m in table if m.rpartition(".")[0] == module)
        path = module.replace(".", "/") + ("/__init__.py" if inside else ".py")
        files[path] = _text(module, names, inside)
    return files


def _text(module: str, names: list[Name], inside: list[str]) -> str:
    """Source of one module, as the formatter leaves it."""
    homes: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        if name.missing is None:
            homes[name.home].append(name)
    missing = {name.name: name.missing for name in names if name.missing is not None}
    parts = [HEAD.format(module=module)]
    if homes:
        parts.append("from typing import TYPE_CHECKING\n")
    parts.append("from eng.mmengine.lazy import offer\n")
    if homes:
        parts.append("if TYPE_CHECKING:\n" + "".join(_imports(homes)))
    parts.append(_call(homes, missing, inside))
    return "\n".join(parts)


def _imports(homes: dict[str, list[Name]]) -> Iterable[str]:
    for home in sorted(homes):
        for name in homes[home]:
            line = f"    from {home} import {name.there} as {name.name}\n"
            wrapped = f"    from {home} import (\n        {name.there} as {name.name},\n    )\n"
            yield line if len(line) <= LINE_LENGTH + 1 else wrapped


def _call(homes: dict[str, list[Name]], missing: dict[str, str], inside: list[str]) -> str:
    """Return the call that defines the names of a module."""
    lines = ["__all__, __getattr__, __dir__ = offer(\n    __name__,\n"]
    if homes:
        lines.append("    {\n")
        for home in sorted(homes):
            words = [n.name if n.name == n.there else f"{n.name}={n.there}" for n in homes[home]]
            lines.append(f"        {_quote(home)}: {_words(words)},\n")
        lines.append("    },\n")
    if missing:
        lines.append("    missing={\n")
        lines += [f"        {_quote(name)}: {_quote(why)},\n" for name, why in missing.items()]
        lines.append("    },\n")
    if inside:
        lines.append(f"    modules={_words(inside)},\n")
    return "".join([*lines, ")\n"])


def _words(words: list[str]) -> str:
    return _quote(" ".join(words))


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def fill_in(text: str, homes: Mapping[str, str]) -> str:
    """Return the text of the table with the names that eng got since.

    Args:
        text: The text of the table.
        homes: Where eng has each name.
    """
    return re.sub(
        r'^(\w+) = "missing\b.*"$',
        lambda line: f'{line[1]} = "{homes[line[1]]}"' if line[1] in homes else line[0],
        text,
        flags=re.MULTILINE,
    )


def main() -> None:
    """Enter names that eng got in the table, and write the tree."""
    homes = {
        name: f"eng.{package}" for package in reversed(list(EXPORTS)) for name in EXPORTS[package]
    }
    path = PACKAGE / "names.toml"
    path.write_text(fill_in(path.read_text(encoding="utf-8"), homes), encoding="utf-8")
    shutil.rmtree(TREE, ignore_errors=True)
    for path, text in render(read()).items():
        (TREE / path).parent.mkdir(parents=True, exist_ok=True)
        (TREE / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
