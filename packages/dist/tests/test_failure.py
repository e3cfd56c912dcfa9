"""What becomes of the others when a process is late, hangs, or dies."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dist_workers

from eng.dist import explain_failures, write_stacks_to
from eng.dist.testing import run_in_processes

PROGRAM = str(Path(__file__).parent / "restarted_program.py")


@pytest.mark.slow
def test_a_rank_that_comes_as_a_wait_is_given_up_is_not_too_late():
    run_in_processes(dist_workers.late_by_a_glance, 2, 30)


@pytest.mark.exact
def test_ranks_that_come_late_thousands_of_times():
    run_in_processes(dist_workers.late_by_a_glance, 3, 500)
    run_in_processes(dist_workers.late_to_a_barrier, 3, 500)


def test_a_failure_is_reported_though_the_group_is_destroyed_on_the_way_out():
    case = dist_workers.failing_before_the_group_goes_down
    first, second = run_in_processes(case, 2, check=False)
    assert "rank 1 failed with ValueError: oh no" in str(first)
    assert str(second) == "ValueError: oh no"


def test_a_failure_that_is_caught_can_be_reported():
    first, _ = run_in_processes(dist_workers.failing_and_caught, 2, check=False)
    assert "rank 1 failed with ValueError: oh no" in str(first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "timeout"),
    [
        ("barrier", 60),
        pytest.param("all_reduce", 6, marks=pytest.mark.exact),
        pytest.param("backward", 6, marks=pytest.mark.exact),
    ],
)
def test_a_hang_leaves_the_stacks_of_all_ranks(tmp_path, how, timeout):
    args = (str(tmp_path), how)
    results = run_in_processes(
        dist_workers.stuck_in_a_loader, 2, *args, timeout=timeout, check=False, patience=30
    )
    files = [tmp_path / f"stacks_rank{rank}.txt" for rank in range(2)]
    assert all(str(file) in str(results[0]) for file in files)
    assert "waits_for_a_disk" in files[1].read_text()
    assert "stuck_in_a_loader" in files[0].read_text()


def test_nothing_is_left_where_nothing_hangs(tmp_path):
    assert run_in_processes(dist_workers.no_stacks_without_a_hang, 2, str(tmp_path)) == [[], []]


def test_a_loader_that_times_out_leaves_the_stacks_of_its_process(tmp_path):
    with pytest.raises(RuntimeError, match="DataLoader timed out") as caught:  # noqa: SIM117
        with write_stacks_to(tmp_path), explain_failures("training"):
            raise RuntimeError("DataLoader timed out after 5 seconds")
    path = tmp_path / "stacks_rank0.txt"
    assert str(caught.value).endswith(f"; stacks of all threads: {path}")
    assert "test_a_loader_that_times_out" in path.read_text()


def run_with_restarts(how: str, deaths: int) -> str:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", f"--max-restarts={deaths}", PROGRAM, how, str(deaths)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_a_restarted_job_goes_on():
    told = run_with_restarts("raise", 1)
    for rank in range(2):  # which may write into each other's lines
        assert told.count(f"rank {rank} ended well in attempt 1") == 1


@pytest.mark.exact
@pytest.mark.parametrize("how", ["raise", "kill"])
@pytest.mark.parametrize("_", range(4))
def test_jobs_that_are_restarted_twice_go_on(how, _):
    assert "rank 1 ended well in attempt 2" in run_with_restarts(how, 2)
