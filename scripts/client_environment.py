"""Make an environment of libraries that say `import mmengine`, where eng answers.

    python scripts/client_environment.py [FOLDER]     prints its Python; .cache/clients by default

The libraries come by `pip install --no-deps`, since mmcv would bring the original with it, and
this repository's packages as wheels built now. What is there already is kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
import tempfile
from pathlib import Path

import clean_environment
from workspace import PACKAGES, ROOT, wheel_name

LIBRARIES = ["mmcv-lite==2.1.0", "mmsegmentation==1.2.2", "mmpretrain==1.2.0"]
#: What the libraries import, what eng does, and the tool of the libraries' own tests.
NEEDED = [
    *["torch==2.13.0", "torchvision==0.28.0", "numpy", "pyyaml", "fsspec", "addict", "packaging"],
    *["matplotlib", "pillow", "opencv-python-headless", "einops", "mat4py", "modelindex", "rich"],
    *["importlib-metadata", "scipy", "prettytable", "ftfy", "regex", "tqdm", "pytest"],
]

_MMCV_EXTENSION = '''
"""Stand-in for the compiled operators, which mmcv-lite leaves out."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def operator(*args, **kwargs):
        raise NotImplementedError(f"mmcv-lite has no compiled operator {name}")

    return operator
'''
_TORCHVISION_OPERATORS = """
for _name in ("nms", "qnms"):
    torch.library.define(
        f"torchvision::{_name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    )
"""


def create(folder: Path = ROOT / ".cache" / "clients") -> Path:
    """The environment in a folder, made or brought up to date; the path of its Python."""
    folder.mkdir(parents=True, exist_ok=True)
    env = clean_environment.settings()
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may want it at the same time
        python = folder / "bin" / "python"
        ready = folder / "requirements.txt"
        wanted = "\n".join([sys.version, *NEEDED, *LIBRARIES])
        if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
            python = clean_environment.create(folder, sys.executable, env)
            clean_environment.install(python, NEEDED, env)
            clean_environment.install(python, ["--no-deps", *LIBRARIES], env)
            _replace_compiled_code(python, env)
            ready.write_text(wanted, encoding="utf-8")
        _install_ours(python, env)
    return python


def _replace_compiled_code(python: Path, env: dict[str, str]) -> None:
    """Let the libraries be imported without the compiled code that no wheel here has.

    mmseg imports the operators of the full mmcv; those of torchvision's wheel on PyPI load with
    torch for CUDA alone.
    """
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    (site / "mmcv" / "_ext.py").write_text(_MMCV_EXTENSION, encoding="utf-8")
    try:
        clean_environment.run([python, "-c", "import torchvision"], env)
    except RuntimeError:
        extension = site / "torchvision" / "extension.py"
        text = extension.read_text(encoding="utf-8")
        extension.unlink()  # uv's cache has another link to it, which stays as it is
        extension.write_text(text + _TORCHVISION_OPERATORS, encoding="utf-8")


def _install_ours(python: Path, env: dict[str, str]) -> None:
    """Install the packages of this repository, unless those are there that it has now."""
    stamp = python.parents[1] / "ours.txt"
    digest = _digest_sources()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    with tempfile.TemporaryDirectory() as wheels:
        clean_environment.build_wheels(Path(wheels), PACKAGES, env)
        here = ["--no-deps", "--no-index", "--reinstall", "--find-links", wheels]
        clean_environment.install(python, [*here, *map(wheel_name, PACKAGES)], env)
    stamp.write_text(digest, encoding="utf-8")


def _digest_sources() -> str:
    digest = hashlib.sha256()
    for pattern in ("*/src/**/*", "*/pyproject.toml", "*/*.pth"):
        for path in sorted((ROOT / "packages").glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    print(create(*map(Path, sys.argv[1:])))
