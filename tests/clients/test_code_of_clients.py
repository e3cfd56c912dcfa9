"""Code as clients write it, and tools that they ship."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1800)]


def test_what_clients_write(clients, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    words = ["-m", "pytest", "-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--noconftest"]
    said = clients.run(tmp_path, *words, Path(__file__).with_name("client_cases.py"))
    assert "8 passed" in said.splitlines()[-1], said[-2000:]
