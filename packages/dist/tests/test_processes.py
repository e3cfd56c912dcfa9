import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dist_cases
import processes


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_collectives(world_size, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeds = processes.run(dist_cases.collectives, world_size)
    assert len(set(seeds)) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (dist_cases.mismatched, r"rank 0: float32\[1\]; rank 1: float32\[2\]"),
        (dist_cases.unpicklable, r"rank 0: item 1 \(function\).*rank 1: item 1 \(function\)"),
    ],
)
def test_all_ranks_raise_together(case, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for result in processes.run(case, 2, check=False):
        with pytest.raises(RuntimeError, match=message):
            raise result
    assert list(tmp_path.iterdir()) == []


def test_a_barrier_says_who_is_missing():
    results = processes.run(dist_cases.late, 2, check=False)
    with pytest.raises(RuntimeError, match="rank 1 had not come"):
        raise results[0]


@pytest.mark.parametrize(
    ("how", "cause"), [("raise", "rank 1 failed with ValueError: oh no"), ("kill", "from rank 1 ")]
)
def test_the_others_name_the_rank_that_died(how, cause):
    results = processes.run(dist_cases.ending, 3, how, check=False)
    for rank in (0, 2):
        with pytest.raises(RuntimeError, match=cause):
            raise results[rank]
