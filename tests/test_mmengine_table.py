"""The modules of `import mmengine` are those of their table, and eng has what it promises."""

from __future__ import annotations

import importlib

import pytest
import update_mmengine
from update_mmengine import PACKAGE, TREE, Name

import eng.all

TABLE = update_mmengine.read()


def test_the_tree_is_what_the_table_says() -> None:
    have = {
        path.relative_to(TREE).as_posix(): path.read_text(encoding="utf-8")
        for path in TREE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert have == update_mmengine.render(TABLE), "run scripts/update_mmengine.py"


def test_every_module_has_a_package() -> None:
    assert len(TABLE) == 153
    assert {m.rpartition(".")[0] for m in TABLE} <= {"", *TABLE}


def test_the_table_is_in_order() -> None:
    """So that two people who add names change different lines."""
    lines = (PACKAGE / "names.toml").read_text(encoding="utf-8").splitlines()
    block: list[str] = []
    for line in [*lines, ""]:
        if " = " in line and not line.startswith("#"):
            block.append(line.partition(" ")[0])
            continue
        assert block == sorted(block, key=lambda name: (name.lower(), name))
        block = []


@pytest.mark.parametrize("module", TABLE)
def test_every_name_is_where_the_table_says(module: str) -> None:
    alias = importlib.import_module(module)
    for name in TABLE[module]:
        if name.missing is None:
            there = getattr(importlib.import_module(name.home), name.there)
            assert getattr(alias, name.name) is there
            assert name.name in dir(alias)
        else:
            assert not hasattr(alias, name.name)


def test_what_is_missing_is_nowhere_in_eng() -> None:
    missing = {name.name for names in TABLE.values() for name in names if name.missing is not None}
    assert not missing & set(eng.all.__all__), "run scripts/update_mmengine.py"


def test_names_that_eng_got_are_entered() -> None:
    text = '["mmengine.a"]\nX = "missing: use Y"\nXY = "missing"\nZ = "missing_not"\n'
    filled = update_mmengine.fill_in(text, {"X": "eng.a", "Z": "eng.b"})
    assert filled == '["mmengine.a"]\nX = "eng.a"\nXY = "missing"\nZ = "missing_not"\n'


def test_names_that_differ_here_and_there() -> None:
    text = update_mmengine.render(
        {
            "mmengine": [],
            "mmengine.a": [
                Name("X", "eng.a", "X", None),
                Name("Y", "eng.a", "Z", None),
                Name("V", "", "", 'use "W"'),
            ],
        }
    )
    assert "from eng.a import Z as Y\n" in text["mmengine/a.py"]
    assert '"eng.a": "X Y=Z",' in text["mmengine/a.py"]
    assert r'"V": "use \"W\"",' in text["mmengine/a.py"]
    assert 'modules="a"' in text["mmengine/__init__.py"]
