"""Every example of every docstring runs and prints what it says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from doc_examples import run_docstrings
from workspace import PACKAGES, ROOT

#: What may be skipped, and why.
SKIPPED = {
    "eng.config.package_path.resolve_package_path": "needs an installed package with configs",
    "eng.dist.testing.run_in_processes": "calls a function of somebody's tests",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_example_runs(package: str, tmp_path: Path) -> None:
    ran = run_docstrings(package, tmp_path)
    skipped = Counter(example.where for example in ran if example.skipped)
    assert skipped.keys() <= SKIPPED.keys()
    sources = (ROOT / "packages" / package / "src").rglob("*.py")
    written = sum(len(re.findall(r"^ *>>> ", s.read_text("utf-8"), re.MULTILINE)) for s in sources)
    assert len(ran) == written, "an example is not found by doctest"
