"""Meshes of processes, and ranks among those with samples of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import mesh_workers

from eng.dist import (
    get_data_group,
    get_data_info,
    get_mesh,
    get_tensor_group,
    keep_data_ranks,
    resolve_sizes,
    use_mesh,
)
from eng.dist.testing import run_in_processes


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of four processes found."""
    folder = tmp_path_factory.mktemp("results")
    return run_in_processes(mesh_workers.ranks_in_meshes, 4, str(folder))


def test_processes_of_a_tensor_group_share_their_data_rank(ranks: list[dict[str, Any]]) -> None:
    assert [rank["none"]["rank"] for rank in ranks] == [0, 1, 2, 3]
    assert [rank["shard"]["rank"] for rank in ranks] == [0, 1, 2, 3]
    assert [rank["tensor"]["rank"] for rank in ranks] == [0, 0, 1, 1]
    assert {rank["tensor"]["size"] for rank in ranks} == {2}
    assert [rank["tensor"]["data"] for rank in ranks] == [[0, 2], [1, 3], [0, 2], [1, 3]]
    assert [rank["tensor"]["tensor"] for rank in ranks] == [[0, 1], [0, 1], [2, 3], [2, 3]]
    assert all(rank["tensor"]["kept"] == [0, 2] for rank in ranks)
    assert all(rank["shard"]["kept"] == rank["none"]["data"] == [0, 1, 2, 3] for rank in ranks)
    assert all(rank["none"]["tensor"] is None for rank in ranks)


def test_results_are_collected_once_for_each_data_rank(ranks: list[dict[str, Any]]) -> None:
    first, *others = ranks
    for name in ("tensor cpu", "tensor gpu", "shard cpu", "shard gpu"):
        assert first[name] == [0, 1, 2, 3, 4]
        assert all(other[name] is None for other in others)


def test_a_mesh_ends_with_its_processes() -> None:
    run_in_processes(mesh_workers.mesh_of_a_destroyed_group, 2)


def test_one_process_has_no_mesh() -> None:
    assert get_mesh() is None
    assert get_data_info() == (0, 1)
    assert get_data_group() is get_tensor_group() is None
    assert keep_data_ranks(["a"]) == ["a"]
    with pytest.raises(ValueError, match="the axes of the mesh must be"):
        use_mesh(NamelessMesh())  # type: ignore[arg-type]


class NamelessMesh:
    mesh_dim_names = None


@pytest.mark.parametrize(
    ("sizes", "world_size", "wanted"),
    [
        ({}, 1, (1, 1, 1)),
        ({"data": 2, "shard": "rest"}, 8, (2, 4, 1)),
        ({"shard": "rest", "tensor": 2}, 2, (1, 1, 2)),
        ({"tensor": 2, "shard": 2, "data": 3}, 12, (3, 2, 2)),
    ],
)
def test_sizes(sizes: dict[str, Any], world_size: int, wanted: tuple[int, ...]) -> None:
    assert resolve_sizes(sizes, world_size) == wanted


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ([2, 2], "must be sizes by axis"),
        ({"rows": 2}, r"unknown axes \['rows'\] of a mesh: known are data, shard, tensor"),
        ({"data": 0}, "data must be a number of processes, at least 1, or 'rest', not 0"),
        ({"data": True}, "not True"),
        ({"data": 2.0}, "not 2.0"),
        ({"shard": "all"}, "not 'all'"),
        ({"data": "rest", "shard": "rest"}, "only one size may be 'rest'"),
        ({"data": 3}, "does not fit 4 processes: 3 processes are needed"),
        ({"data": 3, "shard": "rest"}, "3 processes or a multiple are needed"),
    ],
)
def test_sizes_that_fit_no_processes_are_refused(sizes: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        resolve_sizes(sizes, 4)
