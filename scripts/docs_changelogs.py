"""The page of changelogs, out of those of the packages."""

from __future__ import annotations

import re
from pathlib import Path

from workspace import PACKAGES, REPOSITORY, ROOT, project, wheel_name

PAGE = Path("docs/pages/reference/changelogs.md")
HEAD = """\
# Changelogs

Each wheel has a version and a changelog of its own. `eng-all` brings those that fit together.

## Versions

These pages are of:
"""


def render() -> dict[Path, str]:
    """The text of the page, by its path below the repository."""
    rows = [f"| `{wheel_name(each)}` | {project(each)['version']} |" for each in PACKAGES]
    versions = "\n".join(["| wheel | version |", "| --- | --- |", *rows, ""])
    return {PAGE: "\n".join([HEAD, versions, *map(_section, PACKAGES)]).rstrip() + "\n"}


def _section(package: str) -> str:
    text = (ROOT / "packages" / package / "CHANGELOG.md").read_text(encoding="utf-8")
    released = text.partition("<!-- towncrier release notes start -->")[2].strip()
    if not released:
        version = project(package)["version"]
        address = f"{REPOSITORY}/tree/main/packages/{package}/changelog.d"
        released = f"Version {version} is not released yet; [what it will bring]({address})."
    return f"## {wheel_name(package)}\n\n{re.sub('^#', '##', released, flags=re.MULTILINE)}\n"
