"""Read the packages of this repository from the table `[tool.eng]` of the root pyproject.toml.

usage: python scripts/workspace.py packages|torch-free      prints their folders, bottom to top

Tests and scripts import it; needs Python 3.11, or tomli.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[no-redef]

ROOT = Path(__file__).resolve().parent.parent


def pyproject(folder: Path) -> dict[str, Any]:
    """The pyproject.toml of a folder."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


_TABLE = pyproject(ROOT)["tool"]["eng"]
#: Folders of `packages/` from bottom to top: a package may need only those before it.
PACKAGES: list[str] = _TABLE["packages"]
#: Those that eng-all brings and exports: what is above it stands on the whole engine.
ENGINE = PACKAGES[: PACKAGES.index("all")]
#: Those that never import torch.
TORCH_FREE: list[str] = _TABLE["torch-free"]
#: Versions of Python that every package supports.
PYTHONS: list[str] = _TABLE["pythons"]
REPOSITORY: str = _TABLE["repository"]


def project(package: str) -> dict[str, Any]:
    """The table `[project]` of a package."""
    return pyproject(ROOT / "packages" / package)["project"]


def wheel_name(package: str) -> str:
    """`eng-dl-utils` of the folder `dl_utils`."""
    return f"eng-{package.replace('_', '-')}"


def declared(package: str) -> set[str]:
    """Folders of the packages of eng that a package requires."""
    names = {re.split(r"[~<>=!\[; ]", line)[0] for line in project(package)["dependencies"]}
    return {name[4:].replace("-", "_") for name in names if name.startswith("eng-")}


if __name__ == "__main__":
    lists = {"packages": PACKAGES, "torch-free": TORCH_FREE}
    if len(sys.argv) != 2 or sys.argv[1] not in lists:
        sys.exit(__doc__)
    print(*lists[sys.argv[1]])
