"""Build the documentation into dist/site, strictly, and check what must hold of it.

usage: python scripts/docs_build.py [--serve]

With `--serve` it is served on port 8000 instead, and built again when a page changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_browser
import docs_coverage
import docs_finish
import docs_inventories
import docs_scan
import docs_style
from workspace import ROOT

CONFIG = ROOT / "docs" / "mkdocs.yml"
#: What is checked while the site is built: that pages are current, and that faults are found.
BESIDE = [
    [sys.executable, "scripts/docs_reference.py", "--check"],
    [sys.executable, "-m", "pytest", "-q", "-m", "docs", "tests/test_docs_gate.py"],
]
CAPTURED: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
SITE = ROOT / "dist" / "site"
#: Where words are checked: pages, READMEs and docstrings.
SPELLED = ["docs", "README.md", "CONTRIBUTING.md", "packages", "scripts", "examples"]
#: Tests and code of pages show what a misspelled name leads to.
UNSPELLED = [
    *(
        "--skip",
        "*/tests,*.js,*.egg-info,*.svg,docs/inventories,docs/errors.toml,*/reference/errors.md",
    ),
    *("--ignore-regex", r"`[^`\n]+`"),
    *("--ignore-multiline-regex", r"(?s)```.*?```"),
]


def build(config: Path = CONFIG) -> subprocess.CompletedProcess[str]:
    """Build a site strictly; the exit status is not 0 if there was a warning."""
    return _mkdocs("build", "--strict", "--config-file", str(config))


def main() -> None:
    """Build and check, or serve."""
    docs_inventories.main()
    if sys.argv[1:] == ["--serve"]:
        _mkdocs("serve", "--config-file", str(CONFIG))
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    beside = [subprocess.Popen(command, cwd=ROOT, **CAPTURED) for command in BESIDE]
    if build().returncode:
        for process in beside:
            process.kill()
        sys.exit(1)
    docs_finish.finish(SITE)
    problems = [*_read_site(), *_read_sources()]
    for process in beside:
        said, _ = process.communicate()
        problems += [said[-3000:]] if process.returncode else []
    (SITE.parent / "links.txt").write_text("\n".join(docs_scan.find_links(SITE)), encoding="utf-8")
    print("\n".join(problems) or f"{SITE / 'index.html'}: {len(list(SITE.rglob('*.html')))} pages")
    sys.exit(bool(problems))


def _read_site() -> Iterator[str]:
    for problem in docs_scan.find_requests(SITE):
        yield f"asks another host: {problem}"
    yield from docs_scan.find_strange_links(SITE)
    for name in docs_coverage.find_missing_names(SITE):
        yield f"{name} is on no page of the API"
    for key in docs_coverage.find_missing_keys():
        yield f"the argument {key!r} of the Runner is not on the page of config keys"
    try:
        yield from docs_browser.browse(SITE)
    except docs_browser.NoBrowserError as error:
        message = f"no browser opened the site: {error}"
        if os.environ.get("ENG_TEST_REQUIRE_SERVERS"):
            yield message
        else:
            print(message)


def _read_sources() -> Iterator[str]:
    for page in sorted(docs_style.PAGES.rglob("*.md")):
        yield from docs_style.check(page)
    command = [_tool("codespell"), "--ignore-words", "docs/words.txt", *UNSPELLED, *SPELLED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    yield from done.stdout.splitlines()


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _mkdocs(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [_tool("mkdocs"), *arguments]
    with tempfile.TemporaryDirectory() as cache:  # else inventories of yesterday are read
        settings = {"NO_MKDOCS_2_WARNING": "1", "XDG_CACHE_HOME": cache}
        return subprocess.run(command, cwd=ROOT, env=os.environ | settings, text=True, check=False)


if __name__ == "__main__":
    main()
