#!/usr/bin/env python3
"""Bring Pants up from the package index alone, into `.cache/pants/`.

The ordinary launcher fetches Pants and its pex tool from the hosts of their projects. Where only
a package index can be reached, this does the same from there:

    python3 scripts/bootstrap_pants.py
    .cache/pants/pants package ::

A second call is quick. The wrapper adds `.ci/pants.toml`, which says where the pex tool lies.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".cache" / "pants"
VENV = HOME / "venv"
PEX_VERSION = "2.1.137"
PEX = HOME / f"pex-{PEX_VERSION}"
WRAPPER = HOME / "pants"

#: With these the file is the same, byte for byte, wherever it is built.
REPRODUCIBLE = [
    "--disable-cache",
    "--no-build",
    "--no-compile",
    "--no-use-system-time",
    "--include-tools",
    "--no-strip-pex-env",
    "--python-shebang",
    "/usr/bin/env python",
]

WRAPPER_TEXT = """\
#!/bin/sh
# Written by scripts/bootstrap_pants.py: Pants with the pex tool that lies beside this file.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$here/../.." || exit 1
PANTS_CONFIG_FILES="${PANTS_CONFIG_FILES:-.ci/pants.toml}" exec "$here/venv/bin/pants" "$@"
"""


def main() -> None:
    """Make what is missing: the environment, the pex tool, the wrapper."""
    version = _pants_version()
    HOME.mkdir(parents=True, exist_ok=True)
    stamp = VENV / f".pants-{version}"
    if not stamp.exists():
        python = _find_python()
        print(f"==> Pants {version} for {python}", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        _run([python, "-m", "venv", str(VENV)])
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, f"pantsbuild.pants=={version}", f"pex=={PEX_VERSION}"])
        stamp.touch()
    if not PEX.exists():
        print(f"==> pex {PEX_VERSION}", flush=True)
        _build_pex()
    _check_pex()
    WRAPPER.write_text(WRAPPER_TEXT)
    WRAPPER.chmod(0o755)
    print(f"==> ready: {WRAPPER.relative_to(ROOT)}", flush=True)


def _pants_version() -> str:
    found = re.search(r'^pants_version = "(.+)"$', (ROOT / "pants.toml").read_text(), re.MULTILINE)
    if found is None:
        sys.exit("pants.toml names no pants_version")
    return found[1]


def _candidates() -> Iterator[str]:
    """Interpreters that may be Python 3.9; a shim of that name may well fail to run."""
    if named := os.environ.get("PANTS_PYTHON"):
        yield named
    for folder in os.get_exec_path():
        if (path := Path(folder) / "python3.9").exists():
            yield str(path)
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    if pyenv := shutil.which("pyenv"):
        said = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        roots.insert(0, said.stdout.strip())
    for root in dict.fromkeys(filter(None, roots)):
        yield from map(str, sorted(Path(root).glob("versions/3.9*/bin/python"), reverse=True))
    if uv := shutil.which("uv"):
        command = [uv, "python", "find", "--no-python-downloads", "3.9"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode == 0:
            yield said.stdout.strip()


def _find_python() -> str:
    """The first candidate that runs, is Python 3.9 and can make environments."""
    code = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 9))"
    for candidate in _candidates():
        try:
            done = subprocess.run([candidate, "-c", code], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    sys.exit(
        "Pants runs in Python 3.9 (with its venv module), and none is found here. Install one, "
        "for instance with `pyenv install 3.9`, or the packages python3.9 and python3.9-venv, or "
        "name one: PANTS_PYTHON=/path/to/python3.9. What it builds and tests is newer Python."
    )


def _build_pex() -> None:
    partial = PEX.with_name(PEX.name + ".partial")
    os.umask(0o022)
    command = [str(VENV / "bin" / "python"), "-m", "pex", f"pex=={PEX_VERSION}", "-c", "pex"]
    _run([*command, *REPRODUCIBLE, "-o", str(partial)])
    partial.replace(PEX)


def _check_pex() -> None:
    """Say at once, in words, what Pants would refuse later."""
    content = PEX.read_bytes()
    have = f"{hashlib.sha256(content).hexdigest()}|{len(content)}"
    if have not in (ROOT / ".ci" / "pants.toml").read_text():
        sys.exit(
            f"{PEX.relative_to(ROOT)} is not the file that .ci/pants.toml expects: it has {have}. "
            "Delete it and try again."
        )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"failed with exit status {done.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    main()
