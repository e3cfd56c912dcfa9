"""Every code block of every page of the documentation runs; `make docs-test` alone."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from doc_examples import count_fences, run_page
from workspace import ROOT

PAGES = ROOT / "docs" / "pages"
#: One that takes longer is stopped; the aim is 20 s on two processors.
LIMIT_S = 180
MAX_SKIPPED = 0.25


def names() -> list[str]:
    """The pages that are asked for, or all: `guides/configs`."""
    wanted = os.environ.get("DOCS_PAGES", "").split()
    found = [path.relative_to(PAGES).with_suffix("").as_posix() for path in PAGES.rglob("*.md")]
    if unknown := sorted(set(wanted) - set(found)):
        raise pytest.UsageError(f"no such pages: {unknown}")
    return sorted(name for name in found if not wanted or name in wanted)


@pytest.mark.docs
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("page", names())
def test_every_block_runs(
    page: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    for program in (ROOT / "docs" / "programs").glob("*.py"):
        shutil.copy(program, tmp_path)
    began = time.monotonic()
    ran = run_page(PAGES / f"{page}.md", tmp_path)
    skipped = [block.skipped for block in ran if block.skipped]
    record_property("page", (page, len(ran) - len(skipped), skipped, time.monotonic() - began))
    assert len(ran) == count_fences(PAGES / f"{page}.md"), "a block was passed over"
    assert len(skipped) <= MAX_SKIPPED * len(ran), f"too much is skipped: {skipped}"
