"""The check before wheels are published refuses what an index or a user would stumble over."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from workspace import ROOT

WHEEL = "eng_config-0.1.0-py3-none-any.whl"
INFORMATION = "eng_config-0.1.0.dist-info"
METADATA = """\
Metadata-Version: 2.4
Name: eng-config
Version: 0.1.0
Description-Content-Type: text/markdown

# eng-config
"""
FILES = {
    "eng/config/__init__.py": "",
    "eng/config/py.typed": "",
    f"{INFORMATION}/METADATA": METADATA,
    f"{INFORMATION}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFORMATION}/licenses/LICENSE": "",
}


def check(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    record = f"{INFORMATION}/RECORD"
    files = {**files, record: "".join(f"{name},,\n" for name in [*files, record])}
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    command = [sys.executable, str(ROOT / "scripts" / "check_wheels.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_good_wheel(tmp_path: Path) -> None:
    done = check(tmp_path, FILES)
    assert done.returncode == 0, done.stderr


def test_files_that_do_not_belong_there(tmp_path: Path) -> None:
    files = {**FILES, "eng/__init__.py": "", "tests/test_config.py": ""}
    del files["eng/config/py.typed"]
    said = check(tmp_path, files).stderr
    assert f"{WHEEL}: eng/config/py.typed is missing" in said
    assert f"{WHEEL}: unexpected file eng/__init__.py" in said
    assert f"{WHEEL}: unexpected file tests/test_config.py" in said
    assert "check_wheel_contents" in said


def test_metadata_without_a_description(tmp_path: Path) -> None:
    files = {**FILES, f"{INFORMATION}/METADATA": METADATA.replace("\n# eng-config\n", "")}
    done = check(tmp_path, files)
    assert done.returncode == 1
    assert "twine" in done.stderr


def test_an_empty_folder(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "check_wheels.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no wheel in" in done.stderr
