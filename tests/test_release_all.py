"""A release of all wheels: the dry run works, and tags are pushed in the order of dependencies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin
from workspace import ROOT

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A maintainer"), ("EMAIL", "maintainer@example.com"))
}


@pytest.mark.wheels
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_dry_run(tmp_path: Path) -> None:
    before = run(["git", "tag"], ROOT)
    said = run([sys.executable, ROOT / "scripts" / "release_all.py", "--dry-run"], tmp_path)
    (percent,) = re.findall(r"^accuracy after an epoch: ([\d.]+)%$", said, re.MULTILINE)
    assert float(percent) > 10  # better than chance
    assert run(["git", "tag"], ROOT) == before


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this repository, with the changelogs of two packages prepared, and its remote."""
    folder = tmp_path / "checkout"
    for name in run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT
    ).splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(["git", "init", "--quiet", "--bare", tmp_path / "remote.git"], tmp_path)
    for words in (
        ["git", "init", "--quiet"],
        ["git", "remote", "add", "origin", tmp_path / "remote.git"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "Start"],
        [sys.executable, "scripts/release_all.py", "--prepare", "registry", "utils"],
        ["git", "commit", "--quiet", "--all", "--message", "Prepare the release"],
    ):
        run(words, folder)
    return folder


def test_each_tag_waits_for_the_packages_below(checkout: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    with pytest.raises(subprocess.CalledProcessError) as failure:
        publish(checkout, index)
    assert "the index has no eng-utils==0.1.0 after 0 minutes" in failure.value.stderr
    assert tags_of(tmp_path / "remote.git") == ["eng-utils-v0.1.0"]

    for package in ("utils", "registry"):
        source = checkout / "packages" / package
        run([find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", index, source], tmp_path)
    publish(checkout, index)
    assert tags_of(tmp_path / "remote.git") == ["eng-registry-v0.1.0", "eng-utils-v0.1.0"]


def test_nothing_is_tagged_where_a_changelog_is_not_ready(checkout: Path, tmp_path: Path) -> None:
    fragment = checkout / "packages" / "registry" / "changelog.d" / "1.feature.md"
    fragment.write_text("A change.\n")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        publish(checkout, tmp_path)
    assert "fragments are left in packages/registry/changelog.d" in failure.value.stderr
    assert tags_of(tmp_path / "remote.git") == []

    fragment.unlink()
    (checkout / "README.md").write_text("Not committed.\n")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        publish(checkout, tmp_path)
    assert "there are changes that are not committed" in failure.value.stderr
    assert tags_of(tmp_path / "remote.git") == []


def publish(checkout: Path, index: Path) -> None:
    words = ["--publish", "--skip-dry-run", "--minutes", "0", "registry", "utils"]
    script = checkout / "scripts" / "release_all.py"
    run([sys.executable, script, *words], checkout, UV_NO_INDEX="1", UV_FIND_LINKS=str(index))


def tags_of(remote: Path) -> list[str]:
    return run(["git", "tag"], remote).split()


def run(words: list[object], folder: Path, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, **IDENTITY, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
