"""Release all wheels at once, in the order of their dependencies, as for the first release.

    python scripts/release_all.py --dry-run       the default: publishes nothing
    python scripts/release_all.py --prepare       turns changelog fragments into sections
    python scripts/release_all.py --publish       tags every package, pushes tag after tag

The dry run builds wheels and source distributions, checks them, serves them from a folder as the
only index that has eng-*, installs eng-all from it into a clean environment, and trains the
digits for an epoch there. `--publish` does it too, then pushes the tag of a package, from which
the release workflow publishes it, and waits until the index has it before the packages that need
it follow. A tag that is there already stays as it is, so that the same command resumes a release.
Names of packages after `--publish` or `--prepare` restrict it to these.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import clean_environment
from check_release_tag import check as check_tag
from check_wheels import check as check_wheels
from clean_environment import run
from uv import find_uv_bin
from workspace import ENGINE, PACKAGES, ROOT, project, wheel_name

DIGITS = ROOT / "examples" / "digits"


def dry_run(folder: Path) -> None:
    """Build, check, install and train in a folder; exits with a message where one fails."""
    env = clean_environment.settings()
    dist = folder / "dist"
    say(f"build {len(PACKAGES)} packages")
    for package in PACKAGES:
        run([find_uv_bin(), "build", "--out-dir", dist, ROOT / "packages" / package], env)
    say("check what was built")
    if wrong := check_wheels(dist):
        sys.exit("\n".join(wrong))
    say("install eng-all into a clean environment")
    python = clean_environment.create(folder / "environment", sys.executable, env)
    install(python, make_index(dist, folder / "index"), env)
    say("train the digits for an epoch")
    print(f"accuracy after an epoch: {train(python, folder, env):.2%}")


def make_index(dist: Path, folder: Path) -> str:
    """Lay out wheels as a package index in a folder, and return its address."""
    for package in PACKAGES:
        page = folder / wheel_name(package)
        page.mkdir(parents=True)
        (wheel,) = dist.glob(f"eng_{package}-*.whl")
        shutil.copy(wheel, page)
        text = f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>'
        (page / "index.html").write_text(text, encoding="utf-8")
    return folder.as_uri()


def install(python: Path, index: str, env: dict[str, str]) -> None:
    """Install eng-all and what stands on it; see that every package of eng came along and fits."""
    # uv takes a package only from the first index that has it: eng-* never comes from elsewhere.
    words = ["--index", index, "--index-strategy", "first-index"]
    words += [word for p in PACKAGES for word in ("--refresh-package", wheel_name(p))]
    words += [f"{wheel_name(p)}=={project(p)['version']}" for p in PACKAGES if p not in ENGINE]
    words += ["--requirements", str(DIGITS / "requirements.txt")]
    clean_environment.install(python, words, env)
    run([find_uv_bin(), "pip", "check", "--python", python], env)
    listed = run([find_uv_bin(), "pip", "list", "--python", python, "--format", "json"], env)
    found = {entry["name"]: entry["version"] for entry in json.loads(listed)}
    for package in PACKAGES:
        name, version = wheel_name(package), project(package)["version"]
        if found.get(name) != version:
            sys.exit(f"installing eng-all brought {name} {found.get(name)}, not {version}")


def train(python: Path, folder: Path, env: dict[str, str]) -> float:
    """Train the digits for an epoch; the accuracy of the validation."""
    work_dir = folder / "digits"
    command = [python.with_name("eng"), "train", DIGITS / "config.py", "--work-dir", work_dir]
    run([*command, "--cfg-options", "train_cfg.max_epochs=1"], env, cwd=folder)
    (scalars,) = work_dir.glob("*/vis_data/scalars.json")
    records = [json.loads(line) for line in scalars.read_text(encoding="utf-8").splitlines()]
    (accuracy,) = [record["accuracy"] for record in records if "accuracy" in record]
    return float(accuracy)


def prepare(packages: list[str]) -> None:
    """Turn the changelog fragments of packages into a section for their version."""
    for package in packages:
        if not any((ROOT / "packages" / package / "changelog.d").glob("*.md")):
            continue
        folder = f"packages/{package}"
        command = [sys.executable, "-m", "towncrier", "build", "--yes", "--dir", folder]
        command += ["--config", f"{folder}/pyproject.toml"]
        run([*command, "--version", project(package)["version"]], dict(os.environ), cwd=ROOT)
        say(f"{wheel_name(package)}: changelog of {project(package)['version']}")


def publish(packages: list[str], remote: str, minutes: float) -> None:
    """Push the tags of packages, each after the index has what was pushed before."""
    tags = {package: tag_of(package) for package in packages}
    for tag in tags.values():
        check_tag(tag)
    if git("status", "--porcelain"):
        sys.exit("there are changes that are not committed")
    head = git("rev-parse", "HEAD")
    for package, tag in tags.items():
        if not git("tag", "--list", tag):
            git("tag", "--annotate", "--message", f"Release {tag}", tag)
        elif git("rev-list", "--max-count=1", tag) != head:
            say(f"{tag} was released from an earlier commit")
        git("push", remote, f"refs/tags/{tag}")
        say(f"{tag} is pushed; waiting until the index has it")
        wait_for(f"{wheel_name(package)}=={project(package)['version']}", minutes)


def tag_of(package: str) -> str:
    """The tag from which the release workflow publishes a package."""
    return f"{wheel_name(package)}-v{project(package)['version']}"


def wait_for(requirement: str, minutes: float) -> None:
    """Wait until the index has a version; exits with a message when it takes too long."""
    env = clean_environment.settings()
    until = time.monotonic() + 60 * minutes
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-deps", "--refresh", "-"]
    while True:
        done = subprocess.run(
            command, input=requirement, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        if time.monotonic() > until:
            waited = f"the index has no {requirement} after {minutes:g} minutes"
            sys.exit(f"{waited}, see the workflow\n{done.stderr}")
        time.sleep(15)


def git(*words: str) -> str:
    """Standard output of git, without the last line break."""
    return run(["git", *words], dict(os.environ), cwd=ROOT).strip()


def say(text: str) -> None:
    """Print a step of the release."""
    print(f"==> {text}", flush=True)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="package")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="publish nothing; the default")
    what.add_argument("--prepare", action="store_true", help="write the changelogs")
    what.add_argument("--publish", action="store_true", help="push the tags")
    parser.add_argument("--remote", default="origin", help="where the tags are pushed to")
    parser.add_argument("--minutes", type=float, default=30, help="to wait for one package")
    parser.add_argument("--skip-dry-run", action="store_true", help="with --publish: it passed")
    arguments = parser.parse_args()
    if unknown := set(arguments.packages) - set(PACKAGES):
        parser.error(f"unknown packages {sorted(unknown)}; there are {', '.join(PACKAGES)}")
    chosen = [p for p in PACKAGES if p in (arguments.packages or PACKAGES)]
    if arguments.prepare:
        prepare(chosen)
        return
    if not arguments.skip_dry_run:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            dry_run(Path(folder))
    if arguments.publish:
        publish(chosen, arguments.remote, arguments.minutes)


if __name__ == "__main__":
    main()
