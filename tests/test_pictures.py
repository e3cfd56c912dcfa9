"""Each picture that a program draws is as large as the one that is kept; `make docs-test` alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import ROOT

pytestmark = pytest.mark.docs
DOCS = ROOT / "docs"
PICTURES = DOCS / "pages" / "pictures"
PROGRAMS = sorted((DOCS / "pictures").glob("*.py"))


def size(picture: Path) -> list[str]:
    """Width, height and view of an SVG."""
    head = re.search(r"<svg\b[^>]*>", picture.read_text(encoding="utf-8"))
    assert head, f"{picture.name} is not an SVG"
    return sorted(re.findall(r'\b(?:width|height|viewBox)="[^"]+"', head[0]))


@pytest.mark.timeout(200)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_draws_what_is_kept(program: Path, tmp_path: Path) -> None:
    for folder in ("pictures", "programs", "pages"):
        shutil.copytree(DOCS / folder, tmp_path / "docs" / folder)
    drawn = tmp_path / "docs" / "pages" / "pictures"
    for picture in drawn.glob("*.svg"):
        picture.unlink()
    command = [sys.executable, str(tmp_path / "docs" / "pictures" / program.name)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # another test runs beside it
    done = subprocess.run(
        command, cwd=tmp_path, env=one_thread, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for picture in drawn.glob("*.svg"):
        assert size(picture) == size(PICTURES / picture.name), picture.name


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_is_shown_on_a_page(picture: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (DOCS / "pages").rglob("*.md")]
    is_icon = f"pictures/{picture.name}" in (DOCS / "mkdocs.yml").read_text(encoding="utf-8")
    assert is_icon or any(f"pictures/{picture.name}" in page for page in pages)
    assert size(picture)
    text = picture.read_text(encoding="utf-8")
    assert not re.search(r'(?:href|src)="https?://', text), "a picture asks for nothing"
