"""The page of environment variables has each that a package reads."""

from __future__ import annotations

import re

from workspace import ROOT

PAGE = ROOT / "docs" / "pages" / "reference" / "environment-variables.md"
READ = re.compile(
    r"""(?:environ(?:\.get\(|\.setdefault\(|\[)|_read_\w+\(|in_environ\()\s*["']([A-Z_]{2,})["']"""
    r"""|["']([A-Z_]{2,})["'] (?:not )?in os\.environ|"""
    r"""\(["']([A-Z_]+)["'], ["'](?:slurm|mpi|pytorch)["']\)|VARIABLE = ["']([A-Z_]+)["']"""
)


def test_each_that_is_read_is_there() -> None:
    sources = (ROOT / "packages").glob("*/src/eng/**/*.py")
    found = [match for source in sources for match in READ.findall(source.read_text("utf-8"))]
    names = {name for match in found for name in match if name}
    assert {"RANK", "SLURM_PROCID", "ENG_FILEIO_DEFAULTS", "NO_COLOR", "SLURM_NTASKS"} <= names
    page = PAGE.read_text(encoding="utf-8")
    assert not [name for name in sorted(names) if f"`{name}`" not in page]
