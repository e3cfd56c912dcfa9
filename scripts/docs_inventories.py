"""Write docs/inventories/*.txt in the binary form that the builder of the documentation reads.

usage: python scripts/docs_inventories.py

Nothing is fetched: each file lists the names of another project that the docstrings of eng refer
to, and their addresses.
"""

from __future__ import annotations

from pathlib import Path

from mkdocstrings import Inventory
from workspace import ROOT

FOLDER = ROOT / "docs" / "inventories"
OUT = ROOT / ".cache" / "docs"


def convert(source: Path) -> bytes:
    """The inventory of a list of names and addresses."""
    inventory = Inventory(project=source.stem)
    for line in source.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, address = line.split()
            inventory.register(name, domain="py", role="obj", uri=address)
    return inventory.format_sphinx()


def main() -> None:
    """Write all of them."""
    OUT.mkdir(parents=True, exist_ok=True)
    for source in sorted(FOLDER.glob("*.txt")):
        (OUT / f"{source.stem}.inv").write_bytes(convert(source))


if __name__ == "__main__":
    main()
