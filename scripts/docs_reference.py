"""Write what follows from the code in the documentation and the READMEs anew.

usage: python scripts/docs_reference.py [--check]

With `--check` nothing is written: those that are not current are named, and the exit status is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

import docs_api_pages
import docs_changelogs
import docs_commands
import docs_config_keys
import docs_errors
import docs_hook_order
import docs_readme_tables
from workspace import ROOT

MODULES = (
    docs_readme_tables,  # before the programs that others run, which register names of their own
    docs_api_pages,
    docs_changelogs,
    docs_commands,
    docs_config_keys,
    docs_errors,
    docs_hook_order,
)


def render() -> dict[Path, str]:
    """The text of all these pages, by path below the repository."""
    pages: dict[Path, str] = {}
    for module in MODULES:
        pages |= module.render()
    return pages


def find_stale() -> dict[Path, str]:
    """The pages that are not as the code has them now, and their text."""
    return {
        path: text
        for path, text in render().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    }


def check() -> None:
    """Exit with a message if a page is not current."""
    if stale := find_stale():
        names = ", ".join(map(str, stale))
        sys.exit(f"not current: {names}; run python scripts/docs_reference.py")


def main() -> None:
    """Write or check all of them."""
    if sys.argv[1:] == ["--check"]:
        check()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        for path, text in find_stale().items():
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
