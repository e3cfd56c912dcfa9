"""Order of the test files, which decides how evenly processors share a run."""

from __future__ import annotations

import pytest

#: Files that take longest, the longest first. Files are shared out whole (`--dist loadfile`), so
#: a long one that begins last keeps one processor busy while the others wait.
LONGEST = [
    "packages/runner/tests/test_sharded_runs.py",
    "packages/model/tests/test_compiled_and_synced.py",
    "tests/test_digits.py",
    "packages/fileio/tests/test_s3.py",
    "packages/model/tests/test_parallel.py",
    "packages/dataset/tests/test_shared_annotations.py",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest files; all else stays in its order."""
    rank = {config.rootpath / path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))
