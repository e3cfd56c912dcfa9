"""Write eng/all/exports.py anew from what the packages export. Run it when a package changes."""

import importlib
from textwrap import fill

from workspace import ENGINE, ROOT

HEAD = '''"""What each package exports, from the lowest layer to the highest.

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

lines = [HEAD]
for package in ENGINE:
    names = getattr(importlib.import_module(f"eng.{package}"), "__all__", [])
    block = fill(" ".join(names), 90, initial_indent=" " * 8, subsequent_indent=" " * 8)
    lines.append(f'    "{package}": """\n{block}\n    """,\n')
path = ROOT / "packages/all/src/eng/all/exports.py"
path.write_text("".join([*lines, TAIL]), encoding="utf-8")
