"""What the hosting site reads: workflows, issue forms and the citation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from workspace import PACKAGES, PYTHONS, REPOSITORY, ROOT, project, wheel_name

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    return yaml.safe_load(text)["jobs"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert not [line for line in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", line)]


def test_workflows_have_no_known_weakness() -> None:
    command = [Path(sys.executable).with_name("zizmor"), "--offline", *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_matrix_has_what_is_promised() -> None:
    matrix = {
        name: job["strategy"]["matrix"] for name, job in jobs("ci.yml").items() if "strategy" in job
    }
    assert matrix["test"]["python"] == PYTHONS
    assert matrix["oldest-torch"]["python"] == PYTHONS[:1]
    assert matrix["systems"]["system"] == ["windows-latest", "macos-latest"]
    assert set(matrix["systems"]["python"]) <= set(PYTHONS)

    (floor,) = [line for line in project("runner")["dependencies"] if line.startswith("torch")]
    command = jobs("ci.yml")["oldest-torch"]["steps"][-1]["run"]
    assert f"--torch {floor.removeprefix('torch>=')}.0" in command


def test_the_bug_form_names_every_package() -> None:
    path = ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml"
    fields = {field.get("id"): field for field in yaml.safe_load(path.read_text("utf-8"))["body"]}
    options = fields["package"]["attributes"]["options"]
    assert options[1:] == [wheel_name(package) for package in PACKAGES]


def test_the_citation_names_the_repository() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == REPOSITORY
    assert citation["license"] == project("all")["license"]
