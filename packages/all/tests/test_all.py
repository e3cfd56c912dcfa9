import ast
import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import eng.all
from eng.all.exports import EXPORTS


@pytest.mark.parametrize("package", EXPORTS)
def test_the_table_is_what_the_packages_export(package):
    exported = getattr(importlib.import_module(f"eng.{package}"), "__all__", [])
    assert sorted(EXPORTS[package]) == sorted(exported), "run scripts/update_exports.py"


def test_every_name_is_that_of_the_lowest_package():
    names = Counter(name for exported in EXPORTS.values() for name in exported)
    assert sorted(names) == sorted(eng.all.__all__)
    for name in names:
        home = next(package for package, exported in EXPORTS.items() if name in exported)
        assert getattr(eng.all, name) is getattr(importlib.import_module(f"eng.{home}"), name)
    assert set(eng.all.__all__) <= set(dir(eng.all))


def test_names_exported_twice_mean_the_same():
    names = Counter(name for exported in EXPORTS.values() for name in exported)
    for name in (name for name, count in names.items() if count > 1):
        homes = [package for package, exported in EXPORTS.items() if name in exported]
        assert len({id(getattr(importlib.import_module(f"eng.{p}"), name)) for p in homes}) == 1, (
            f"{name} is a different thing in each of {homes}"
        )


def test_the_stub_has_every_name_from_its_lowest_package():
    stub = ast.parse(Path(eng.all.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {
        name: (f"eng.{package}", name) for package in reversed(EXPORTS) for name in EXPORTS[package]
    }
    assert imported == homes, "run scripts/update_exports.py"
    listed = next(
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert sorted(listed) == eng.all.__all__


def test_importing_it_imports_no_package():
    code = (
        "import sys, eng.all\n"
        "ours = {m for m in sys.modules if m.startswith('eng.')}\n"
        "lazy = {'eng.utils', 'eng.utils.errors', 'eng.utils.lazy', 'eng.utils.manager',\n"
        " 'eng.utils.types'}\n"
        "assert ours == {'eng.all', 'eng.all.exports', *lazy}, ours\n"
        "eng.all.Config\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'eng.config' in sys.modules\n"
        "assert 'Runner' in dir(eng.all)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match=r"module 'eng\.all' has no attribute 'Runer'"):
        eng.all.Runer
    with pytest.raises(ImportError):
        from eng.all import Runer  # noqa: F401
