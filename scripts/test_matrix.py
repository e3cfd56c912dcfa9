"""Run the packages' tests on other Pythons or another torch, each in a new environment.

    python scripts/test_matrix.py --python 3.10 --python 3.13 --torch 2.9.0 config runner
    python scripts/test_matrix.py --torch-free

Without a name all packages are tested, without --python every supported Python, without --torch the
newest that is found (UV_TORCH_BACKEND=cpu finds builds for the CPU). Prints a table; exits with 1
where a test failed. Needs Python 3.11, or tomli.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import clean_environment
from workspace import PACKAGES, PYTHONS, ROOT, TORCH_FREE


def main() -> int:
    """Test every Python that was named; 1 if a test failed."""
    arguments = parse()
    env = clean_environment.settings()
    failed = False
    for version in arguments.python or PYTHONS:
        folder = ROOT / ".cache" / "matrix" / f"{version}-torch-{arguments.torch or 'newest'}"
        python = clean_environment.create(folder, version, env)
        try:
            install(python, arguments.packages, arguments.torch, env)
            print(f"Python {version}, {torch_of(python, env)}", flush=True)
            for package in arguments.packages:
                failed |= test(python, package, arguments.slow, env)
        finally:
            if not arguments.keep:
                shutil.rmtree(folder)
    return int(failed)


def parse() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="package")
    parser.add_argument("--python", action="append", help="such as 3.12; may be repeated")
    parser.add_argument("--torch", help="the version, such as 2.9.0")
    parser.add_argument("--torch-free", action="store_true", help="packages that take no torch")
    parser.add_argument("--slow", action="store_true", help="with the tests marked slow")
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    arguments = parser.parse_args()
    if unknown := set(arguments.packages) - set(PACKAGES):
        parser.error(f"unknown packages {sorted(unknown)}; there are {', '.join(PACKAGES)}")
    arguments.packages = arguments.packages or (TORCH_FREE if arguments.torch_free else PACKAGES)
    return arguments


def install(python: Path, packages: list[str], torch: str | None, env: dict[str, str]) -> None:
    """Install every package that is tested or needed, editable, with the tools of the tests."""
    free = set(packages) <= set(TORCH_FREE)
    words: list[str] = ["pytest>=8", "pytest-timeout>=2.3"]
    words += [f"torch=={torch}"] if torch else []
    for package in TORCH_FREE if free else PACKAGES:
        extra = "[test]" if package in packages else ""
        words += ["--editable", f"{ROOT / 'packages' / package}{extra}"]
    clean_environment.install(python, words, env)


def torch_of(python: Path, env: dict[str, str]) -> str:
    """`torch 2.9.0`, or that there is none."""
    code = "import importlib.metadata as m; print('torch', m.version('torch'))"
    done = subprocess.run(
        [python, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "no torch"


def test(python: Path, package: str, slow: bool, env: dict[str, str]) -> bool:
    """Run the tests of a package and print the counts; whether one failed."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        command += [
            "--tb=short",
            *([] if slow else ["-m", "not slow and not exhaustive and not exact"]),
            f"packages/{package}/tests",
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if not report.exists():  # the interpreter died
            suite = {"tests": "0", "failures": "0", "errors": "1", "skipped": "0"}
        else:
            suite = next(ElementTree.parse(report).getroot().iter("testsuite")).attrib
    count = {name: int(suite[name]) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    line = f"  {package:<12}{passed:>5} passed {failed:>4} failed {count['skipped']:>4} skipped"
    print(line, flush=True)
    if failed or done.returncode not in (0, 5):  # 5: there is no test
        sys.stdout.write(done.stdout.decode(errors="replace"))
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
