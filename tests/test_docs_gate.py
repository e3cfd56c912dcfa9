"""What is wrong with the documentation fails its build; `make docs` runs this."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from workspace import ROOT

pytestmark = pytest.mark.docs

INDEX = "# A page\n\n[Another](other.md#a-part), [`f`][eng.tried.f] and ![a picture](x.svg).\n"
OTHER = "# Another\n\n## A part\n\n::: eng.tried\n"
MODULE = '''\
"""A package."""

__all__ = ["f"]


def f(number: int) -> int:
    """Return a number, see :func:`eng.tried.f` and :func:`f`.

    Args:
        number: The number.
    """
    return number
'''
FILES = {
    "pages/index.md": INDEX,
    "pages/other.md": OTHER,
    "pages/x.svg": "<svg/>",
    "src/eng/tried/__init__.py": MODULE,
}


def build(
    folder: Path, files: dict[str, str], menu: Sequence[str] = ("index.md", "other.md")
) -> list[str]:
    """Build a small site by the configuration of the real one; return its warnings."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    python = {
        "paths": [str(folder / "src")],
        "inventories": [],
        "options": {"extensions": [str(ROOT / "docs/extensions/sphinx_roles.py")]},
    }
    config = {
        "INHERIT": os.path.relpath(ROOT / "docs" / "mkdocs.yml", folder),
        "docs_dir": "pages",
        "site_dir": "site",
        "watch": [],
        "nav": [*menu],
        "extra_css": [],
        "plugins": {"mkdocstrings": {"handlers": {"python": python}}},
    }
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return run_builder(folder / "mkdocs.yml")


def run_builder(config: Path) -> list[str]:
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort

    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    handler.setLevel(logging.WARNING)
    logging.getLogger("mkdocs").addHandler(handler)
    try:
        build_site(load_config(str(config), strict=True))
    except Abort:
        assert said
        return said
    finally:
        logging.getLogger("mkdocs").removeHandler(handler)
    assert not said
    return []


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")


def test_what_is_right_passes(tmp_path: Path) -> None:
    assert build(tmp_path, FILES) == []
    html = (tmp_path / "site" / "other.html").read_text(encoding="utf-8")
    assert ":func:" not in html
    assert html.count('href="#eng.tried.f"') >= 2


FAULTS = {
    "a page outside of the menu": 'not included in the "nav" configuration:\n  - more.md',
    "an entry of the menu without page": "'gone.md' is included in the 'nav' configuration",
    "a link to no page": "link 'none.md'",
    "a link to no part": "does not contain an anchor '#no-part'",
    "an absolute link": "absolute link '/other.html'",
    "no picture": "link 'y.svg'",
    "a reference to nothing": "cross-reference target 'eng.tried.g'",
    "a parameter that is not there": "Parameter 'size' does not appear",
    "a role that refers to nothing": "target 'unknown close'",
}


@pytest.fixture(scope="module")
def warnings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a build says of a site that has all faults; each of them alone is a warning."""
    faulty = {
        "pages/index.md": "# A page\n\n[a](none.md) [b](other.md#no-part) [c](/other.html)\n"
        "![d](y.svg) [`g`][eng.tried.g]\n",
        "pages/more.md": "# More\n",
        "src/eng/tried/__init__.py": MODULE.replace("    number:", "    size:").replace(
            ":func:`f`", ":meth:`close`"
        ),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        folder = tmp_path_factory.mktemp("faults")
        return build(folder, FILES | faulty, ["index.md", "other.md", "gone.md"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails(fault: str, warnings: list[str]) -> None:
    found = [line for line in warnings if FAULTS[fault] in line]
    assert len(found) == 1, warnings


def test_an_include_that_is_missing_ends_the_build(tmp_path: Path) -> None:
    from pymdownx.snippets import SnippetMissingError

    text = '# A page\n\n--8<-- "docs/programs/none.py"\n'
    with pytest.raises(SnippetMissingError, match=r"docs/programs/none\.py"):
        build(tmp_path, FILES | {"pages/index.md": text})
