"""Write what `eng.all` exports anew from what the packages export. Run it when a package changes.

usage: python scripts/update_exports.py

Written are `exports.py`, from which `eng.all` imports late, and `__init__.pyi`, from which type
checkers and editors know each name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from textwrap import fill

from workspace import ENGINE, ROOT

PACKAGE = ROOT / "packages/all/src/eng/all"

LINE_LENGTH = 100  # of [tool.ruff]

HEAD = '''"""Names that each package exports, from the lowest layer to the highest.

Written by ``scripts/update_exports.py``: reading it imports none of the packages.
"""

__all__ = ["EXPORTS"]

_NAMES = {
'''
TAIL = """}

EXPORTS: dict[str, tuple[str, ...]] = {
    package: tuple(names.split()) for package, names in _NAMES.items()
}
"""
STUB_HEAD = '''"""Types of the names of ``eng.all``, each from the lowest package that exports it.

Written by ``scripts/update_exports.py``.
"""

'''


def read_exports() -> dict[str, list[str]]:
    """Import the packages, and return the public names of each."""
    return {
        package: list(getattr(importlib.import_module(f"eng.{package}"), "__all__", []))
        for package in ENGINE
    }


def render_table(exports: Mapping[str, Iterable[str]]) -> str:
    """Text of `exports.py`."""
    lines = [HEAD]
    for package, names in exports.items():
        block = fill(" ".join(names), 90, initial_indent=" " * 8, subsequent_indent=" " * 8)
        lines.append(f'    "{package}": """\n{block}\n    """,\n')
    return "".join([*lines, TAIL])


def render_stub(exports: Mapping[str, Iterable[str]]) -> str:
    """Text of `__init__.pyi`: one import for each name, as mypy and pyright take for exported."""
    homes: dict[str, str] = {}
    for package, names in exports.items():
        for name in names:
            homes.setdefault(name, package)
    ordered = sorted(homes, key=_order)
    imports = [
        _import(package, name)
        for package in sorted(exports)
        for name in ordered
        if homes[name] == package
    ]
    listed = [f'    "{name}",\n' for name in ordered]
    return "".join(
        [STUB_HEAD, *imports, "\n__version__: str\n\n__all__ = [\n", *listed, "]\n"],
    )


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order of the formatter."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _import(package: str, name: str) -> str:
    line = f"from eng.{package} import {name} as {name}\n"
    wrapped = f"from eng.{package} import (\n    {name} as {name},\n)\n"
    return line if len(line) <= LINE_LENGTH + 1 else wrapped


def main() -> None:
    """Write both files."""
    exports = read_exports()
    (PACKAGE / "exports.py").write_text(render_table(exports), encoding="utf-8")
    (PACKAGE / "__init__.pyi").write_text(render_stub(exports), encoding="utf-8")


if __name__ == "__main__":
    main()
