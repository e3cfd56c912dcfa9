"""Write eng/all/exports.py anew from what the packages export. Run it when a package changes."""

import importlib

from workspace import PACKAGES, ROOT

HEAD = '''"""What each package exports, from the lowest layer to the highest.

Written by ``scripts/update_exports.py``: reading it imports none of the packages.
"""

__all__ = ["EXPORTS"]

EXPORTS: dict[str, tuple[str, ...]] = {
'''

lines = [HEAD]
for package in (name for name in PACKAGES if name != "all"):
    names = getattr(importlib.import_module(f"eng.{package}"), "__all__", [])
    entries = "".join(f"        {chr(34)}{name}{chr(34)},\n" for name in names)
    lines.append(
        f"    {chr(34)}{package}{chr(34)}: (\n{entries}    ),\n"
        if names
        else f'    "{package}": (),\n'
    )
lines.append("}\n")
path = ROOT / "packages/all/src/eng/all/exports.py"
path.write_text("".join(lines), encoding="utf-8")
