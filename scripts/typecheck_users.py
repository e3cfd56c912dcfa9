"""Check what users write by mypy strict and pyright: examples, READMEs, names of `eng.all`.

usage: python scripts/typecheck_users.py [PAGE.md|FILE.py ...]      these instead of all

A Python block of a page is checked with those before it, as it runs, and errors name the line of
the page. In `tests/data/typed_names.py`, no revealed type may have an `Any` or an unknown part, and
no name of `eng.all` may be `Any` as a whole.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from workspace import PACKAGES, ROOT

from eng.all.exports import EXPORTS

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if any(path.glob("*.py")))
#: Configs of examples have the same names, and are data: those of the first one are checked.
CONFIGS = ("config.py", "pretrain.py", "scratch.py", "sharded.py")
#: Where the blocks of pages are written: always there, since mypy keeps its results by path.
FOLDER = ROOT / ".cache" / "typecheck_users"
PAGES = [ROOT / "README.md", *(ROOT / f"packages/{package}/README.md" for package in PACKAGES)]
#: Reveals the types of names of `eng.all` as a user meets them.
NAMES = ROOT / "tests" / "data" / "typed_names.py"

MYPY = """\
[mypy]
strict = true
python_version = 3.10
namespace_packages = true
explicit_package_bases = true
mypy_path = {paths}
[mypy-sklearn.*,torchmetrics.*,optuna.*]
ignore_missing_imports = true
"""
#: Reveals the type of each name of `eng.all`, written by this script.
EVERY_NAME = FOLDER / "every_name.py"
#: Aliases that are `Any` by design.
ALIASES_OF_ANY = {"DataBatch", "DataSample"}
UNKNOWN = {"Any", "Unknown", "type[Unknown]", "type[Any]"}
_PARTLY_UNKNOWN = r"\b(Any|Unknown)\b"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>.*)$")
_REVEALED = re.compile(r'Revealed type is "(.*)"|Type of ".*" is "(.*)"')


def main(arguments: list[str]) -> int:
    """Print what is wrong; 1 if anything is."""
    given = [Path(argument).resolve() for argument in arguments]
    files = given or [*list_examples(), NAMES]
    pages = [path for path in given if path.suffix == ".md"] or ([] if given else PAGES)
    modules = write_pages(pages)
    checked = [*(path for path in files if path.suffix == ".py"), *modules]
    checked += [] if given else [write_exports()]
    lines = [*run_mypy(checked), *run_pyright(checked)]
    wrong = [name_pages(line, modules) for line in find_faults(lines)]
    print(*(wrong or [f"users' code: no issues found in {len(checked)} files"]), sep="\n")
    return int(bool(wrong))


def list_examples() -> list[Path]:
    """The modules of all examples."""
    found = [path for folder in EXAMPLES for path in sorted(folder.glob("*.py"))]
    return [path for path in found if path.name not in CONFIGS or path.parent.name == "digits"]


def write_pages(pages: Iterable[Path]) -> dict[Path, Path]:
    """Write the Python blocks of each page to a module, at the lines that they have in the page.

    Returns:
        The module of each page, to the page.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("page_*.py"):
        old.unlink()
    modules = {}
    for page in pages:
        module = FOLDER / f"page_{page.parent.name.replace('-', '_')}.py"
        module.write_text(python_of(page.read_text(encoding="utf-8")), encoding="utf-8")
        modules[module] = page
    return modules


def write_exports() -> Path:
    """Write a module that reveals the type of each name of `eng.all`."""
    names = sorted({name for names in EXPORTS.values() for name in names} - ALIASES_OF_ANY)
    reveals = [f"    reveal_type(names.{name})\n" for name in names]
    imports = "import eng.all as names\nfrom typing_extensions import reveal_type\n\n\n"
    text = "".join([imports, "def reveal() -> None:\n", *reveals])
    EVERY_NAME.write_text(text, encoding="utf-8")
    return EVERY_NAME


def python_of(text: str) -> str:
    """The Python blocks of a page, with an empty line for each other one.

    Args:
        text: The page.

    Returns:
        The blocks, less those that are not run.
    """
    lines: list[str] = []
    indent: int | None = None
    is_inside = is_skipped = False
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence and is_inside:
            is_inside, indent = False, None
        elif fence:
            is_inside = True
            if fence["language"] == "python" and not is_skipped:
                indent = len(fence["indent"])
            is_skipped = False
        is_skipped = is_skipped or line.lstrip().startswith("<!-- skip: next")
        lines.append("" if indent is None or fence else line[indent:])
    return "\n".join([*lines, ""])


def run_mypy(files: Iterable[Path]) -> list[str]:
    """Lines that mypy prints of files."""
    config = FOLDER / "mypy.ini"
    paths = ":".join(map(str, [*EXAMPLES, FOLDER, NAMES.parent]))
    config.write_text(MYPY.format(paths=paths), encoding="utf-8")
    options = ["--config-file", config, "--cache-dir", ROOT / ".mypy_cache" / "users"]
    return run("mypy", "--no-error-summary", "--no-pretty", *options, *files)


def run_pyright(files: Iterable[Path]) -> list[str]:
    """Lines that pyright prints of files; its own Node.js is in the dev dependency group."""
    config = {
        "typeCheckingMode": "standard",  # basic, and overrides
        "pythonVersion": "3.10",
        "include": [os.path.relpath(path, FOLDER) for path in files],
        "extraPaths": [os.path.relpath(path, FOLDER) for path in EXAMPLES],
        "exclude": [],  # by default, what lies in a folder such as .cache
    }
    (FOLDER / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    lines = run("pyright", "--project", FOLDER, "--pythonpath", sys.executable)
    # Each line names its file: those that only do that, and the summary, say nothing more.
    return [line.strip() for line in lines if not re.match(r"\d+ errors?, |\S+\.py$", line)]


def run(module: str, *words: str | Path) -> list[str]:
    """Lines of a tool, whose status is 0 or 1 where it could check."""
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{module} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def find_faults(lines: Iterable[str]) -> list[str]:
    """Lines that report an error, or a revealed type that is not wholly known."""
    faults = []
    for line in lines:
        revealed = _REVEALED.search(line)
        if revealed is None or _is_unknown(revealed[1] or revealed[2], EVERY_NAME.name in line):
            faults.append(line)
    return faults


def _is_unknown(kind: str, as_a_whole: bool) -> bool:
    return kind in UNKNOWN if as_a_whole else re.search(_PARTLY_UNKNOWN, kind) is not None


def name_pages(line: str, modules: Mapping[Path, Path]) -> str:
    """A line with the name of the page in place of its module."""
    for module, page in modules.items():
        shown = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
        for path in (module, module.relative_to(ROOT)):
            line = line.replace(str(path), str(shown))
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
