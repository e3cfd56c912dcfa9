"""Make clean environments with uv that take what pip takes here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from uv import find_uv_bin
from workspace import ROOT

#: Settings of pip that uv is to share, so that both take the same torch.
SHARED = {"find-links": "UV_FIND_LINKS", "index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}

#: Builds the wheels of the folders that follow the one where they go, by the tool that all name.
_BUILD = """
import os, sys
from hatchling.build import build_wheel
for folder in sys.argv[2:]:
    os.chdir(folder)
    build_wheel(sys.argv[1])
"""


def settings() -> dict[str, str]:
    """Environment variables for commands: none of this environment's, pip's settings for uv."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [sys.executable, "-m", "pip", "config", "list"]  # prints nothing without pip
    listed = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        if variable := SHARED.get(key.rpartition(".")[2]):
            env.setdefault(variable, ",".join(str(ast.literal_eval(value)).split()))
    # Pythons of pyenv come last: its shims on the path answer for one version only.
    root = Path(env.get("PYENV_ROOT", Path.home() / ".pyenv"))
    versions = sorted(str(path) for path in root.glob("versions/*/bin"))
    env["PATH"] = os.pathsep.join([env.get("PATH", ""), *versions])
    return env


def build_wheels(folder: Path, packages: Iterable[str], env: dict[str, str]) -> None:
    """Build the wheels of packages of this repository into a folder."""
    folders = [ROOT / "packages" / package for package in packages]
    run([sys.executable, "-c", _BUILD, folder, *folders], env)


def create(folder: Path, python: str, env: dict[str, str]) -> Path:
    """A new environment in a folder, without any package; the path of its Python."""
    run([find_uv_bin(), "venv", "--clear", "--python", python, folder], env)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(python: Path, words: Sequence[object], env: dict[str, str]) -> None:
    """Call `uv pip install` for the environment of a Python."""
    run([find_uv_bin(), "pip", "install", "--python", python, *words], env)


def run(command: Sequence[object], env: dict[str, str], cwd: Path | None = None) -> str:
    """Standard output of a command; RuntimeError with the end of what it said if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}\n{said}")
    return done.stdout
