"""Classes of users may narrow the types of their bases without complaints of mypy strict."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.exhaustive
def test_overrides_with_narrower_types_pass_mypy(tmp_path: Path) -> None:
    # Without the settings of this repository, which ask for @override.
    settings = ["--config-file=", "--strict", "--python-version=3.10", f"--cache-dir={tmp_path}"]
    file = ROOT / "tests" / "typed_overrides.py"
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, file], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
