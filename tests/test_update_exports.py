"""What `eng.all` exports, to programs and to type checkers, is as the packages export it now."""

from __future__ import annotations

import update_exports


def test_both_files_are_as_they_would_be_written_now() -> None:
    exports = update_exports.read_exports()
    for name, text in {
        "exports.py": update_exports.render_table(exports),
        "__init__.pyi": update_exports.render_stub(exports),
    }.items():
        there = (update_exports.PACKAGE / name).read_text(encoding="utf-8")
        assert there == text, f"{name}: run scripts/update_exports.py"


def test_a_name_of_several_packages_is_that_of_the_lowest() -> None:
    text = update_exports.render_stub({"model": ["Net", "_tie"], "hub": ["get", "Net", "A" * 50]})
    assert (
        text.removeprefix(update_exports.STUB_HEAD)
        == f"""from eng.hub import (
    {"A" * 50} as {"A" * 50},
)
from eng.hub import get as get
from eng.model import Net as Net
from eng.model import _tie as _tie

__version__: str

__all__ = [
    "{"A" * 50}",
    "Net",
    "_tie",
    "get",
]
"""
    )
