"""Commit the documentation of a version to the branch of the published site, without pushing.

usage: python scripts/docs_publish.py VERSION

The folder is that of the minor version: 0.1 for 0.1.3. `latest` names the newest one.
"""

from __future__ import annotations

import sys

import docs_build
import docs_finish
import docs_inventories
from workspace import ROOT

CONFIG = ROOT / "docs" / "publish.yml"
SITE = ROOT / "dist" / "published"


def main() -> None:
    """Build, finish and commit."""
    from mike.commands import deploy, set_default

    if len(sys.argv) != 2:
        sys.exit(__doc__)
    minor = ".".join(sys.argv[1].split(".")[:2])
    docs_inventories.main()
    if docs_build.build(CONFIG).returncode:
        sys.exit(1)
    docs_finish.finish(SITE)
    settings = {"site_dir": str(SITE), "use_directory_urls": False}
    with deploy(settings, minor, aliases=["latest"], update_aliases=True):
        pass
    set_default("latest", allow_empty=True)


if __name__ == "__main__":
    main()
