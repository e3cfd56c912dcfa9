"""Every wheel alone: in a clean environment with what it declares, and its own tests there."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
PACKAGES = sorted(p.parent.name for p in ROOT.glob("packages/*/pyproject.toml"))
TORCH_FREE = {"utils", "registry", "fileio", "config", "logging"}
#: Settings of pip that uv is to share, so that both take the same torch.
SHARED = {"find-links": "UV_FIND_LINKS", "index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}

pytestmark = [pytest.mark.wheels, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def settings() -> dict[str, str]:
    """The variables of all commands here: none of this environment's, pip's settings for uv."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        if variable := SHARED.get(key.rpartition(".")[2]):
            env.setdefault(variable, ",".join(str(ast.literal_eval(value)).split()))
    return env


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """A folder with the wheel of every package, built once."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in PACKAGES:
        source = ROOT / "packages" / package
        run([find_uv_bin(), "build", "--wheel", "--out-dir", folder, source], settings)
    return folder


@pytest.fixture
def environment(tmp_path: Path, settings: dict[str, str]) -> Iterator[Path]:
    """A new environment without any package, gone after the test."""
    path = tmp_path / "environment"
    run([find_uv_bin(), "venv", "--python", sys.executable, path], settings)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_alone(
    package: str, wheels: Path, environment: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    (wheel,) = wheels.glob(f"eng_{package}-*.whl")
    python = environment / "bin" / "python"
    pip = [find_uv_bin(), "pip"]
    install = [*pip, "install", "--python", python, "--find-links", wheels]

    run([*install, wheel], settings)
    run([*pip, "check", "--python", python], settings)
    installed = run([*pip, "list", "--python", python, "--format", "json"], settings)
    names = {entry["name"] for entry in json.loads(installed)}
    assert package not in TORCH_FREE or "torch" not in names, f"eng-{package} brings torch"
    assert package != "registry" or names == {"eng-registry", "eng-utils"}
    run([python, "-I", "-c", f"import eng.{package}"], settings, cwd=tmp_path)

    tests = ROOT / "packages" / package / "tests"
    if not any(tests.glob("test_*.py")):
        pytest.skip(f"eng-{package} has no tests of its own yet; installed and imported")
    copy = tmp_path / f"{package}_tests"
    shutil.copytree(tests, copy, ignore=shutil.ignore_patterns("__pycache__", "BUILD"))
    run([*install, f"eng-{package.replace('_', '-')}[test] @ {wheel.as_uri()}"], settings)
    pytest_options = ["--import-mode=importlib", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    run([environment / "bin" / "pytest", *pytest_options, copy], settings, cwd=tmp_path)


def run(command: list[object], env: dict[str, str], cwd: Path | None = None) -> str:
    """Standard output of a command that must succeed; what it said where it does not."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, env=env, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
