import importlib
import subprocess
import sys
from collections import Counter

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
