"""Every package knows its version, from the installed metadata, when it is asked for."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import PACKAGES, ROOT, TORCH_FREE, project

import eng.all


@pytest.mark.parametrize("package", PACKAGES)
def test_version_is_that_of_the_wheel(package: str) -> None:
    module = importlib.import_module(f"eng.{package}")
    assert module.__version__ == project(package)["version"]
    assert "__version__" not in getattr(module, "__all__", [])
    with pytest.raises(
        AttributeError, match=rf"module 'eng\.{package}' has no attribute 'versoin'"
    ):
        _ = module.versoin


def test_all_has_its_own() -> None:
    assert "__version__" not in eng.all.__all__
    assert not any("__version__" in names for names in eng.all.EXPORTS.values())


def test_one_way_in_all_packages() -> None:
    files = [ROOT / f"packages/{package}/src/eng/{package}/_version.py" for package in PACKAGES]
    assert len({file.read_bytes() for file in files}) == 1


@pytest.mark.parametrize("package", [p for p in TORCH_FREE if p != "fileio"])  # fsspec takes it
def test_import_does_not_pay_for_it(package: str) -> None:
    code = f"import sys, eng.{package}; print('importlib.metadata' in sys.modules)"
    assert _run(code) == "False"


def test_a_source_tree_without_metadata(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "packages" / "utils" / "src", tmp_path / "src")
    code = "import eng.utils; print(eng.utils.__file__, eng.utils.__version__)"
    file, version = _run(code, "-S", PYTHONPATH=str(tmp_path / "src")).split()
    assert Path(file).is_relative_to(tmp_path)
    assert version == "0+unknown"


def _run(code: str, *options: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
