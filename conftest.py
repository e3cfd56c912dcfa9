"""Order of the test files, and what no test leaves to the next one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

# Each processor has a worker of the tests. Torch's threads would wait for each other: a training
# step that takes 13 ms takes 60 to 250.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Files that take longest, the longest first. Files are shared out whole (`--dist loadfile`), so
#: a long one that begins last keeps one processor busy while the others wait.
LONGEST = [
    "tests/clients/test_shipped.py",
    "packages/fileio/tests/test_s3.py",
    "tests/test_digits.py",
    "packages/runner/tests/test_resume.py",
    "packages/runner/tests/test_interruption.py",
    "packages/runner/tests/test_runner.py",
    "packages/model/tests/test_compiled_and_synced.py",
    "packages/runner/tests/test_exact.py",
    "packages/runner/tests/test_sharded_runs.py",
    "packages/dataset/tests/test_shared_annotations.py",
    "packages/model/tests/test_parallel.py",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest files; all else stays in its order."""
    rank = {config.rootpath / path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))


@pytest.fixture(autouse=True, scope="module")
def no_instances_of_other_files() -> Iterator[None]:
    """Isolate loggers, message hubs and visualizers of a file of tests.

    The current logger, to which warnings go, would otherwise be that of the last Runner of the file
    before, whose level may hide them.
    """
    utils = sys.modules.get("eng.utils")
    with nullcontext() if utils is None else utils.ManagerMixin.isolated():
        yield


@pytest.fixture(autouse=True)
def no_default_scope() -> Iterator[None]:
    """Isolate the default scope of a test: each Runner sets one, and it lasts in the process."""
    # Not imported for tests that do without: some packages need no registry.
    registry = sys.modules.get("eng.registry")
    with nullcontext() if registry is None else registry.DefaultScope.isolated():
        yield
