"""Build the documentation into dist/site, strictly, and check what must hold of it.

usage: python scripts/docs_build.py [--serve]

With `--serve` it is served on port 8000 instead, and built again when a page changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import docs_inventories
import docs_reference
from workspace import ROOT

CONFIG = ROOT / "docs" / "mkdocs.yml"


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
    docs_reference.check()
    if (done := build()).returncode:
        sys.exit(done.returncode)


def _mkdocs(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mkdocs")), *arguments]
    with tempfile.TemporaryDirectory() as cache:  # else inventories of yesterday are read
        settings = {"NO_MKDOCS_2_WARNING": "1", "XDG_CACHE_HOME": cache}
        return subprocess.run(command, cwd=ROOT, env=os.environ | settings, text=True, check=False)


if __name__ == "__main__":
    main()
