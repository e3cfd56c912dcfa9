"""Every code block of the README of every example runs; `make docs-test` alone."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from doc_examples import count_fences, run_page
from workspace import ROOT

#: Optional dependencies of examples.
NEEDED = {"sweep": ("optuna",), "notebook": ("nbclient", "ipykernel")}


@pytest.mark.docs
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "page", sorted((ROOT / "examples").glob("*/README.md")), ids=lambda page: page.parent.name
)
def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED.get(page.parent.name, ()):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install --group dev")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "LICENSE", tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # two processes cannot share one GPU
    ran = run_page(page, tmp_path)
    assert len(ran) == count_fences(page) > 0
