"""The command ``eng init``, which needs no torch."""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from eng.cli import Command
from eng.utils import UserError

__all__ = ["INIT"]

#: Files of the template by their names in a project; ``@NAME@`` stands for that of the project.
_FILES = {
    "config.py": "config.py.txt",
    "@NAME@.py": "project.py.txt",
    "test_@NAME@.py": "test_project.py.txt",
    "README.md": "README.md.txt",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder of the project, new or empty")
    parser.add_argument(
        "--name",
        help="name of its Python module (default: that of the folder, where it can be one)",
    )


def _run(args: argparse.Namespace) -> None:
    folder = Path(args.folder)
    name = _find_name(args.name, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} already exists and is not empty; choose a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    template = files(__package__) / "project_template"
    for target, source in _FILES.items():
        text = (template / source).read_text(encoding="utf-8")
        path = folder / target.replace("@NAME@", name)
        path.write_text(text.replace("@NAME@", name), encoding="utf-8")
        print(path)
    print(f"Train it: cd {folder} && eng train config.py")


def _find_name(given: str | None, folder: Path) -> str:
    if given is not None:
        if not given.isidentifier() or keyword.iskeyword(given) or given in ("config", "test"):
            raise UserError(
                f"--name must be an identifier other than config and test, not {given!r}"
            )
        if _is_taken(given):
            raise UserError(
                f"--name {given}: a module of that name is installed, which the project would hide"
            )
        return given
    name = re.sub(r"\W+", "_", folder.resolve().name).strip("_").lower()
    usable = name.isidentifier() and not keyword.iskeyword(name)
    usable = usable and name not in ("config", "test", "eng") and not _is_taken(name)
    return name if usable else "project"


def _is_taken(name: str) -> bool:
    """Whether a module of Python or of an installed package has the name."""
    if name in sys.stdlib_module_names:
        return True
    spec = find_spec(name)
    return spec is not None and spec.origin is not None  # a mere folder has none


INIT = Command("write a small project that trains", _add_arguments, _run)
