"""Check what a developer changed since `main` in under a minute: lint, types, and tests.

usage: python scripts/quick.py [PACKAGE ...]      these packages instead of the changed ones

Tests of the changed packages come first, then those of the packages that need them, the nearest
first. A package that no time is left for is named; `make test` runs everything.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable

from workspace import ENGINE, PACKAGES, ROOT, declared

#: Seconds after which no further tests are started.
BUDGET = 40
#: Tests of the repository that take a moment and hold whatever was changed.
ACROSS = ["tests/test_layers.py", "tests/test_metadata.py"]
NOT_QUICK = (
    "not slow and not exhaustive and not exact and not wheels and not clients and not browser "
    "and not docs"
)


def main(names: list[str]) -> int:
    """Check the packages named, or those that changed; 1 if anything fails."""
    start = time.monotonic()
    if unknown := sorted(set(names) - set(PACKAGES)):
        print(f"no package {', '.join(unknown)}; packages are: {', '.join(PACKAGES)}")
        return 2
    paths = [] if names else changed_paths()
    changed = names or packages_of(paths)
    print(f"==> changed: {', '.join(changed) or 'no package'}", flush=True)
    if not (lint(names) and succeeds("mypy", "scripts/typecheck.py", *names)):
        return 1
    across = [] if names else [*ACROSS, *(p for p in paths if is_cheap_root_test(p))]
    if not succeeds("tests across packages", *pytest(list(dict.fromkeys(across)))):
        return 1
    left = changed if names else [*changed, *dependents(changed)]
    while left and time.monotonic() - start < BUDGET:
        package, *left = left
        if not succeeds(f"tests of {package}", *pytest([folder_of(package)])):
            return 1
    if left:
        print(f"==> no time for the tests of {', '.join(left)}: make test runs them")
    print(f"==> passed in {time.monotonic() - start:.0f} s")
    return 0


def changed_paths() -> list[str]:
    """Files that differ from where this branch left `main`, also those not committed yet."""
    base = git("merge-base", "HEAD", "main") or ["HEAD"]
    found = git("diff", "--name-only", base[0]) + git("ls-files", "--others", "--exclude-standard")
    return sorted(path for path in set(found) if (ROOT / path).exists())


def git(*words: str) -> list[str]:
    """Lines that git prints; none where it fails, as without a branch `main`."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def packages_of(paths: Iterable[str]) -> list[str]:
    """Packages that files belong to, from bottom to top."""
    folders = {path.split("/")[1] for path in paths if path.startswith("packages/")}
    return [package for package in PACKAGES if package in folders]


def dependents(changed: list[str]) -> list[str]:
    """Packages that need one of these: directly first, then through others."""
    found = list(changed)
    for package in found:  # grows while it is read
        found += [p for p in PACKAGES if package in declared(p) and p not in found]
    return [package for package in found if package not in changed and package in ENGINE]


def is_cheap_root_test(path: str) -> bool:
    """Whether a file is a test of the repository other than the two that train or build wheels."""
    expensive = ("tests/test_digits.py", "tests/test_wheels.py")
    return path.startswith("tests/test_") and path.endswith(".py") and path not in expensive


def folder_of(package: str) -> str:
    """Return the folder of a package, with its tests."""
    return f"packages/{package}"


def lint(names: list[str]) -> bool:
    """Whether ruff passes over the packages named, or everything."""
    where = [folder_of(name) for name in names] or ["."]
    ruff = ("-m", "ruff")
    return succeeds("ruff format", *ruff, "format", "--check", "--quiet", *where) and succeeds(
        "ruff check", *ruff, "check", "--quiet", *where
    )


def pytest(paths: list[str]) -> list[str]:
    """Words of a quiet pytest of the quick tests, on two processors."""
    options = ["-q", "--no-header", "-m", NOT_QUICK, "-n", "2", "--dist", "loadfile"]
    return ["-m", "pytest", *options, *paths] if paths else []


def succeeds(what: str, *words: str) -> bool:
    """Run Python with these words, if there are any, and say whether it passed."""
    if not words:
        return True
    print(f"==> {what}", flush=True)
    code = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
    return code in (0, 5)  # 5: a package without quick tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
