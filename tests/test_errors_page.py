"""Each message of the page of errors is what provoking it says; `make docs-test` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doc_examples import matches
from docs_errors import provoke, read_errors
from workspace import ROOT

pytestmark = pytest.mark.docs
ERRORS = read_errors()


@pytest.fixture(autouse=True)
def outside_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "SLURM_LOCALID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["message"].strip()[:60])
def test_a_message_is_the_one_that_is_explained(error: dict[str, Any], tmp_path: Path) -> None:
    said = provoke(error, tmp_path)
    assert matches(error["message"].strip(), said.strip()), said


def test_no_two_messages_are_one() -> None:
    messages = [error["message"] for error in ERRORS]
    assert len(messages) == len(set(messages)) > 60


def test_pages_that_are_named_exist() -> None:
    menu = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8")
    for error in ERRORS:
        assert "guide" not in error or f": {error['guide']}.md" in menu
