"""Every wheel alone: in an environment with exactly what it declares, and its own tests there."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import clean_environment
import pytest
from clean_environment import run
from uv import find_uv_bin
from workspace import PACKAGES, ROOT, TORCH_FREE, wheel_name

pytestmark = [pytest.mark.wheels, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def settings() -> dict[str, str]:
    """The variables of all commands here: none of this environment's, pip's settings for uv."""
    return clean_environment.settings()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """A folder with the wheel of every package."""
    folder = tmp_path_factory.mktemp("wheels")
    clean_environment.build_wheels(folder, PACKAGES, settings)
    return folder


class Environment:
    """An environment whose packages are swapped for those that a requirement asks for.

    Making one with torch anew for each wheel takes many times as long. What a swap leaves behind
    is checked.
    """

    def __init__(self, folder: Path, wheels: Path, settings: dict[str, str]) -> None:
        self.folder, self.wheels, self.settings = folder, wheels, settings
        self.python = clean_environment.create(folder, sys.executable, settings)

    def hold(self, requirement: str) -> set[str]:
        """Install a requirement with what it needs and remove all else; names of what is there."""
        options = ["--quiet", "--find-links", self.wheels, "--python", self.python]
        wanted, exact = self.folder / "wanted.txt", self.folder / "exact.txt"
        wanted.write_text(requirement)
        self._pip("compile", *options, "--no-header", "--output-file", exact, wanted)
        self._pip("sync", *options, exact)
        self._pip("check", "--python", self.python)
        listed = self._pip("list", "--python", self.python, "--format", "json")
        names = {entry["name"] for entry in json.loads(listed)}
        self._check_folders(names)
        return names

    def _pip(self, command: str, *words: object) -> str:
        return run([find_uv_bin(), "pip", command, *words], self.settings)

    def _check_folders(self, names: set[str]) -> None:
        """No module of a package that was there before can be imported any more."""
        (folder,) = self.folder.glob("lib/python*/site-packages")
        modules = {path.parent.name for path in folder.glob("eng/*/__init__.py")}
        assert {wheel_name(module) for module in modules} == {
            name for name in names if name.startswith("eng-")
        }


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, wheels: Path, settings: dict[str, str]
) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), wheels, settings)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_alone(package: str, environment: Environment, tmp_path: Path) -> None:
    (wheel,) = environment.wheels.glob(f"eng_{package}-*.whl")
    name, settings = wheel_name(package), environment.settings

    names = environment.hold(f"{name} @ {wheel.as_uri()}")
    assert package not in TORCH_FREE or "torch" not in names, f"{name} brings torch"
    assert package != "registry" or names == {"eng-registry", "eng-utils"}
    run([environment.python, "-I", "-c", f"import eng.{package}"], settings, cwd=tmp_path)

    tests = ROOT / "packages" / package / "tests"
    if not any(tests.glob("test_*.py")):
        pytest.skip(f"{name} has no tests of its own yet; installed and imported")
    copy = tmp_path / f"{package}_tests"
    shutil.copytree(tests, copy, ignore=shutil.ignore_patterns("__pycache__", "BUILD"))
    environment.hold(f"{name}[test] @ {wheel.as_uri()}")
    options = ["--import-mode=importlib", "-q", "-m", "not slow and not exhaustive and not exact"]
    options += ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestUnknownMarkWarning"]
    run([environment.python, "-m", "pytest", *options, copy], settings, cwd=tmp_path)
