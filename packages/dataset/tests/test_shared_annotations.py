"""Annotations in memory that workers and ranks share."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dataset_workers
from dataset_workers import Annotations

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="memory is measured in /proc"
)


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    ("count", "workers"),
    [
        pytest.param(100_000, 2, id="1e5"),
        pytest.param(10**6, 4, id="1e6", marks=pytest.mark.exhaustive),
    ],
)
def test_workers_copy_nothing(context: str, count: int, workers: int) -> None:
    gc.collect()  # blocks that tests before have left in circles would go meanwhile
    before = dataset_workers.blocks()
    annotations = Annotations(count)
    size = len(pickle.dumps(annotations)) - 8 * count  # without where each begins
    assert 295 * count < size < 305 * count
    measured = dataset_workers.read_in_workers(annotations, context, workers)
    assert len({each["process"] for each in measured}) == workers
    for each in measured:
        assert each["mapped"] > 0.9 * size  # it did read the whole block,
        assert each["own"] < 0.05 * size  # which is not its own
        assert each["blocks"] == dataset_workers.blocks()
    assert len(dataset_workers.blocks() - before) == 2
    del annotations
    assert dataset_workers.blocks() == before


def test_without_sharing_the_measure_would_tell() -> None:
    annotations = Annotations(100_000, serialize_data=False)
    measured = dataset_workers.read_in_workers(annotations, "fork", 1)
    assert measured[0]["own"] > 0.05 * 300 * 100_000


def test_ranks_share_one_block_that_outlives_the_one_that_made_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ranks = [
        context.Process(target=dataset_workers.run_rank, args=(str(tmp_path), rank))
        for rank in range(2)
    ]
    for rank in ranks:
        rank.start()
    ranks[0].join(120)
    (tmp_path / "killed").touch()
    ranks[1].join(30)
    for rank in ranks:
        rank.kill()
    assert [rank.exitcode for rank in ranks] == [-9, 0]

    first, second, after = (
        pickle.loads((tmp_path / f"{name}.pkl").read_bytes()) for name in (0, 1, "after")
    )
    mapped = [each[kind] for each in (first, second) for kind in ("rank", "forked", "spawned")]
    assert all(each == mapped[0] for each in mapped)
    assert len(mapped[0]) == 2  # the annotations, and where each begins
    # Ranks with different annotations share only where each begins, which is the same in both.
    assert len(first["different"]) == len(second["different"]) == 2
    assert len(first["different"] & second["different"]) == 1
    assert after


def test_a_subset_frees_the_rest() -> None:
    before = dataset_workers.blocks()
    dataset = Annotations(1000)
    whole = dataset_workers.blocks() - before
    subset = dataset.get_subset(10)
    dataset.get_subset_([3, 2])
    assert not dataset_workers.blocks() & whole
    assert subset.get_data_info(9)["number"] == 9
    assert [dataset.get_data_info(i)["number"] for i in range(2)] == [3, 2]
