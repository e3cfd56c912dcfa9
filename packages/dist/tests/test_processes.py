import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dist_workers

from eng.dist.testing import run_in_processes


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_collectives(world_size, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeds = run_in_processes(dist_workers.collectives, world_size)
    assert len(set(seeds)) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("world_size", [1, 2, 4])
@pytest.mark.parametrize(
    "case",
    [dist_workers.every_reduction, dist_workers.params_in_buckets, dist_workers.local_groups],
)
def test_in_processes(case, world_size):
    run_in_processes(case, world_size)


@pytest.mark.parametrize("world_size", [1, 2])
def test_a_collective_of_the_main_process_alone_is_warned_of(world_size):
    run_in_processes(dist_workers.inside_master_only, world_size)


def test_a_process_that_does_not_end_is_told():
    with pytest.raises(AssertionError, match=r"ranks \[0\] did not finish within 2 s"):
        run_in_processes(dist_workers.endless, 1, timeout=1)


def test_a_process_that_ends_by_itself_is_told():
    with pytest.raises(AssertionError, match=r"exit codes by rank: \{0: 3\}"):
        run_in_processes(dist_workers.ending_by_itself, 1)
    assert run_in_processes(dist_workers.ending_by_itself, 1, check=False) == [None]


def test_an_exception_is_told_with_its_rank():
    with pytest.raises(AssertionError, match="rank 0: RuntimeError: a fault of my own"):
        run_in_processes(dist_workers.own_failure, 1)


@pytest.mark.exhaustive
def test_objects_of_hundreds_of_megabytes():
    run_in_processes(dist_workers.large_object, 2, 300)


def test_wrong_lists_and_devices_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_in_processes(dist_workers.bad_lists, 2)


def test_a_folder_of_somebody_else_is_left_as_it_was(tmp_path):
    listings = run_in_processes(dist_workers.collected_in, 3, str(tmp_path))
    assert listings == [["theirs"]] * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("raise", "training failed in rank [02]: rank 1 failed with ValueError: oh no"),
        pytest.param(
            "kill",
            r"training failed in rank [02]: .*rank 1 \(process \d+ on ",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_a_rank_that_dies_in_the_backward_pass_is_named(how, cause):
    results = run_in_processes(dist_workers.ending_in_backward, 3, how, True, check=False)
    for rank in (0, 2):
        with pytest.raises(RuntimeError, match=cause):
            raise results[rank]


@pytest.mark.slow
def test_without_a_block_the_cause_is_told_at_the_end(tmp_path):
    path = tmp_path / "stderr"
    run_in_processes(dist_workers.ending_in_backward, 2, "raise", False, str(path), check=False)
    told = "eng.dist: rank 0 failed because of another rank: rank 1 failed with ValueError: oh no"
    assert told in path.read_text()


def test_a_failure_of_its_own_is_left_as_it_is():
    (result,) = run_in_processes(dist_workers.own_failure, 1, check=False)
    assert str(result) == "RuntimeError: a fault of my own"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (dist_workers.mismatched, r"rank 0: float32\[1\]; rank 1: float32\[2\]"),
        (dist_workers.unpicklable, r"rank 0: item 1 \(function\).*rank 1: item 1 \(function\)"),
    ],
)
def test_all_ranks_raise_together(case, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for result in run_in_processes(case, 2, check=False):
        with pytest.raises(RuntimeError, match=message):
            raise result
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_barrier_says_who_is_missing():
    results = run_in_processes(dist_workers.late, 2, check=False)
    with pytest.raises(RuntimeError, match=r"timed out after .* rank 1 did not arrive"):
        raise results[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "cause"), [("raise", "rank 1 failed with ValueError: oh no"), ("kill", "from rank 1 ")]
)
def test_the_others_name_the_rank_that_died(how, cause):
    results = run_in_processes(dist_workers.ending, 3, how, check=False)
    for rank in (0, 2):
        with pytest.raises(RuntimeError, match=cause):
            raise results[rank]
