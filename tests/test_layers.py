"""What each package imports of eng is what it declares, and the declarations have no cycle."""

from __future__ import annotations

import ast
import importlib
from graphlib import TopologicalSorter

import pytest
from workspace import ENGINE, PACKAGES, ROOT, declared

from eng.all.exports import EXPORTS


def imported(package: str) -> dict[str, str]:
    """Packages of eng that the sources import, each with one place where they do."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "packages" / package / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
                if node.module == "eng":
                    names = [f"eng.{alias.name}" for alias in node.names]
            for name in names:
                parts = name.split(".")
                if parts[0] == "eng" and len(parts) > 1 and parts[1] != package:
                    found.setdefault(parts[1], f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_every_package_has_a_place_in_the_order() -> None:
    folders = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
    assert sorted(PACKAGES) == folders, "see packages in [tool.eng] of the root pyproject.toml"


@pytest.mark.parametrize("package", ENGINE)
def test_imports_are_what_is_declared(package: str) -> None:
    have = imported(package)
    undeclared = {name: where for name, where in have.items() if name not in declared(package)}
    unused = declared(package) - set(have)
    assert not undeclared, f"eng-{package} imports without declaring: {undeclared}"
    assert not unused, f"eng-{package} declares but does not import: {sorted(unused)}"


def test_all_declares_every_package() -> None:
    assert declared("all") == set(ENGINE)


@pytest.mark.parametrize("package", PACKAGES[len(ENGINE) + 1 :])
def test_what_is_above_all_stands_on_it_alone(package: str) -> None:
    assert declared(package) == {"all"}
    assert set(imported(package)) <= {*ENGINE, "all"}


def test_all_exports_every_package() -> None:
    """What each of them exports is held by the tests of eng-all."""
    assert list(EXPORTS) == ENGINE, "run scripts/update_exports.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_needed_from_above(package: str) -> None:
    upward = {n for n in declared(package) if PACKAGES.index(n) >= PACKAGES.index(package)}
    assert not upward, f"eng-{package} needs packages above it: {sorted(upward)}"


def test_no_cycle() -> None:
    TopologicalSorter({package: declared(package) for package in PACKAGES}).prepare()


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_inside_a_package_are_relative(package: str) -> None:
    for path in sorted((ROOT / "packages" / package / "src" / "eng").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                own = f"{node.module}.".startswith(f"eng.{package}.")
                assert not own, f"{path.relative_to(ROOT)}:{node.lineno} imports {node.module}"


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_list_their_public_names(package: str) -> None:
    for path in sorted((ROOT / "packages" / package / "src" / "eng").rglob("*.py")):
        if path.name not in {"_version.py", "__main__.py"}:
            assert "__all__" in path.read_text(), f"{path.relative_to(ROOT)} has no __all__"


@pytest.mark.parametrize("package", PACKAGES)
def test_namespace_is_implicit(package: str) -> None:
    assert not (ROOT / "packages" / package / "src" / "eng" / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_that_is_given_late_is_that_of_a_module(package: str) -> None:
    """Importing the module first would put it in the place of the name."""
    init = ROOT / "packages" / package / "src" / "eng" / package / "__init__.py"
    body = ast.parse(init.read_text(encoding="utf-8")).body
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    early = {alias.asname or alias.name for node in imports for alias in node.names}
    modules = {path.stem for path in init.parent.iterdir()}
    assert not modules & set(importlib.import_module(f"eng.{package}").__all__) - early
