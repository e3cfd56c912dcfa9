"""Check that a tag such as `eng-config-v0.1.0` may release that version of that package.

usage: python scripts/check_release_tag.py TAG      prints folder=config

The version must be the one of the package's pyproject.toml, its CHANGELOG.md must tell of it, and
no changelog fragment may be left over. Needs Python 3.11, or tomli.
"""

from __future__ import annotations

import re
import sys

from workspace import PACKAGES, ROOT, project


def check(tag: str) -> str:
    """The folder of the package that a tag releases; exits with a message where it may not."""
    found = re.fullmatch(r"eng-([a-z][a-z-]*)-v(\d[0-9a-z.]*)", tag)
    if found is None:
        sys.exit(f"{tag!r} is no release tag: it must look like eng-config-v0.1.0")
    folder, version = found[1].replace("-", "_"), found[2]
    if folder not in PACKAGES:
        sys.exit(f"{tag!r} names eng-{found[1]}, but there is no packages/{folder}")
    if (current := project(folder)["version"]) != version:
        sys.exit(f"{tag!r}: packages/{folder}/pyproject.toml has version {current}")
    package = ROOT / "packages" / folder
    changes = (package / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(version)}( |$)", changes, re.MULTILINE):
        sys.exit(f"{tag!r}: packages/{folder}/CHANGELOG.md has no section {version}")
    if left := sorted(path.name for path in (package / "changelog.d").glob("*.md")):
        sys.exit(f"{tag!r}: fragments are left in packages/{folder}/changelog.d: {left}")
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"folder={check(sys.argv[1])}")
