"""Each package has a page of the API in the menu."""

from __future__ import annotations

import re

from workspace import PACKAGES, ROOT


def test_each_package_has_a_page_in_the_menu() -> None:
    pages = ROOT / "docs" / "pages" / "reference" / "api"
    assert sorted(page.stem for page in pages.glob("*.md")) == sorted(PACKAGES)
    menu = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.findall(r"- eng\.(\w+): reference/api/\1\.md", menu) == PACKAGES


def test_a_page_documents_its_package() -> None:
    for package in PACKAGES:
        page = ROOT / "docs" / "pages" / "reference" / "api" / f"{package}.md"
        text = page.read_text(encoding="utf-8")
        assert (f"\n::: eng.{package}\n" in text) is (package != "all")
