"""Ask for each address of a list, and name those that do not answer.

usage: python scripts/docs_links.py dist/links.txt
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    """Ask for all of them, each page once."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    problems = [
        problem
        for url in sorted({line.partition("#")[0] for line in lines})
        if (problem := ask(url))
    ]
    print("\n".join(problems))
    sys.exit(bool(problems))


def ask(url: str) -> str:
    """What is wrong with an address; empty if it answers."""
    request = urllib.request.Request(url, headers={"User-Agent": "eng documentation"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return ""
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    main()
