"""Every code block of every README runs; `make docs-test` alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_examples import count_fences, run_page
from workspace import PACKAGES, ROOT

pytestmark = pytest.mark.docs
PAGES = ["README.md", *(f"packages/{package}/README.md" for package in PACKAGES)]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page: str, tmp_path: Path) -> None:
    ran = run_page(ROOT / page, tmp_path)
    assert len(ran) == count_fences(ROOT / page) > 0
