"""Several processes take parts of the data where no sampler says so."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sharing_cases as cases

from eng.dist.testing import run_in_processes

PROCESSES = 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["config", "shuffled config", "loader", "shuffled loader", "shared already"]
)
def test_each_sample_is_taken_once_an_epoch(tmp_path: Path, kind: str) -> None:
    found = run_in_processes(cases.samples_of, PROCESSES, str(tmp_path), kind)
    orders = []
    for epoch in range(2):
        parts = [each[0][epoch] for each in found]
        assert sorted(itertools.chain(*parts)) == list(range(cases.LENGTH))
        orders.append(parts)
    assert (orders[0] != orders[1]) is (kind not in ("config", "loader"))
    for _, metrics, said in found:
        assert metrics == [{"number": cases.LENGTH, "different": cases.LENGTH}] * 2
        assert said is ("loader" in kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "number"), [("subset", 16), ("weighted", 20), ("replacement", 20)]
)
def test_samplers_of_torch_are_shared_out(tmp_path: Path, kind: str, number: int) -> None:
    found = run_in_processes(cases.samples_of, PROCESSES, str(tmp_path), kind)
    parts = [epochs[0] for epochs, _, _ in found]
    assert [len(part) for part in parts] == [number // PROCESSES] * PROCESSES
    assert parts[0] != parts[1]
    if kind == "subset":
        assert sorted(itertools.chain(*parts)) == list(range(4, cases.LENGTH))
    assert all(said for _, _, said in found)


def test_buffers_that_differ_between_processes_are_put_back() -> None:
    (first, mean_of_first), (second, mean_of_second) = run_in_processes(cases.buffers, PROCESSES)
    assert first == {}
    assert second == {"0.running_mean": [1.0, 1.0]}
    assert mean_of_first == [0.0, 0.0]
    assert mean_of_second == [1.0, 1.0]
