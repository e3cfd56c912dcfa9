"""Progress bars on a terminal, in a file and in a notebook; tasks in processes."""

import io
import itertools
import multiprocessing
import os
import pty
import signal
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

import eng.utils as u


def double(x):
    return 2 * x


def fail_at_three(x):
    if x == 3:
        raise ValueError("three")
    return x


def die(x):
    os._exit(1)


def square(x, add=0):
    return x * x + add


def noted_process(x):
    return os.getpid()


def remember(folder):
    global _folder
    _folder = folder


def touch_and_wait(x):
    (_folder / str(x)).touch()
    if x == 1:
        raise OSError("the disk")
    time.sleep(0.05)
    return x


class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__(a)


def kill_itself(x):
    os.kill(os.getpid(), signal.SIGKILL)


def on_a_terminal(work, columns=60):
    """Run work(file) with a terminal as its file, and return what it has written."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as file:
        work(file)
        # The terminal is read while it is open: closed, it drops what nobody has read.
        written = b""
        while not written.endswith(b"\n"):
            written += os.read(ours, 65536)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    written = on_a_terminal(lambda file: u.track_progress(square, [1, 2, 3], file=file))
    assert written.count("\n") == 1
    states = written.rstrip("\n").split("\r")
    assert len(states) == 4
    assert states[0].startswith("[" + " " * 50 + "] 0/3, elapsed: 0s, ETA:")
    assert ["1/3" in states[1], "2/3" in states[2], "3/3" in states[3]] == [True] * 3
    for state in states[1:]:
        assert len(state) <= 60
    assert states[3].startswith("[>>")
    assert " " not in states[3].split("]")[0]


def test_a_stream_that_is_no_file_is_rewritten_too():
    out = io.StringIO()
    assert list(u.track_iter_progress((iter("ab"), 2), file=out)) == ["a", "b"]
    assert out.getvalue().count("\r") == 2
    assert out.getvalue().endswith("\n")


def test_an_unknown_total_counts_up(tmp_path):
    with (tmp_path / "log").open("w") as file:
        bar = u.ProgressBar(file=file)
        for _ in range(100):
            bar.update()
        bar.finish()
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == "completed: 0, elapsed: 0s"
    assert [int(line.split(",")[0].split()[1]) for line in lines[1:]] == [1, 2, 4, 8, 16, 32, 64]


def test_a_bar_started_late_and_wrong_counts():
    out = io.StringIO()
    bar = u.ProgressBar(4, start=False, file=out)
    assert out.getvalue() == ""
    bar.start()
    with pytest.raises(ValueError, match="at least 1, but got 0"):
        bar.update(0)
    bar.update(9)
    assert "9/4" in out.getvalue()


def test_functions_pass_arguments_and_refuse_what_has_no_length():
    assert u.track_progress(square, [1, 2], file=io.StringIO(), add=1) == [2, 5]
    assert u.track_progress(square, ([1, 2], 2), file=io.StringIO()) == [1, 4]
    with pytest.raises(TypeError, match="must have a length, or be a tuple"):
        u.track_progress(square, iter([1]), file=io.StringIO())
    with pytest.raises(TypeError, match="must have a length"):
        u.track_parallel_progress(square, iter([1]), 1, file=io.StringIO())
    with pytest.raises(ValueError, match="chunksize must be at least 1"):
        u.track_parallel_progress(square, [1], 1, chunksize=0, file=io.StringIO())


def test_a_stream_without_end_is_not_read_ahead():
    taken = []
    tasks = (taken.append(i) or i for i in itertools.count())
    with pytest.raises(OSError, match="the task") as info:
        u.track_parallel_progress(_fail_at_ten, (tasks, 10**6), 2, file=io.StringIO())
    assert info.value.__notes__ == ["raised by the task of index 10"]
    assert len(taken) < 100


def _fail_at_ten(x):
    if x == 10:
        raise OSError("the task")
    return x


def test_tasks_not_begun_are_dropped_after_an_error(tmp_path):
    with pytest.raises(OSError, match="the disk") as info:
        u.track_parallel_progress(
            touch_and_wait,
            list(range(200)),
            2,
            initializer=remember,
            initargs=(tmp_path,),
            file=io.StringIO(),
        )
    assert info.value.__notes__ == ["raised by the task of index 1"]
    assert 2 <= len(list(tmp_path.iterdir())) < 100


def test_unordered_results_are_all_there():
    out = io.StringIO()
    got = u.track_parallel_progress(square, list(range(30)), 2, keep_order=False, file=out)
    assert sorted(got) == [i * i for i in range(30)]
    assert os.getpid() not in u.track_parallel_progress(noted_process, [1, 2], 2, file=out)


def test_a_killed_process_is_an_error():
    from concurrent.futures.process import BrokenProcessPool

    with pytest.raises(BrokenProcessPool):
        u.track_parallel_progress(kill_itself, [1, 2, 3], 2, file=io.StringIO())


def test_a_pool_of_processes_is_started_with_what_each_calls_first():
    with u.init_pool(1, sys.setrecursionlimit, [1234]) as pool:
        assert pool.apply(sys.getrecursionlimit) == 1234
    with u.init_pool(1) as pool:
        assert pool.map(abs, [-1, 2]) == [1, 2]


@pytest.mark.parametrize("chunksize", [1, 4])
@pytest.mark.parametrize("skip_first", [False, True])
def test_parallel_progress(chunksize, skip_first):
    out = io.StringIO()
    got = u.track_parallel_progress(
        double, list(range(20)), 2, chunksize=chunksize, skip_first=skip_first, file=out
    )
    assert got == [2 * i for i in range(20)]
    assert u.track_parallel_progress(double, (iter([1, 2]), 2), 2, file=out) == [2, 4]


def test_parallel_errors_leave_no_process():
    before = multiprocessing.active_children()  # those of tests of other packages
    with pytest.raises(ValueError, match="three") as info:
        u.track_parallel_progress(fail_at_three, list(range(9)), 2, chunksize=2, file=io.StringIO())
    assert "raised by the task of index 3" in info.value.__notes__
    with pytest.raises(BrokenProcessPool):
        u.track_parallel_progress(die, [1], 1, file=io.StringIO())
    assert multiprocessing.active_children() == before


def test_progress_in_a_file_writes_few_lines(tmp_path):
    path = tmp_path / "log"
    with path.open("w") as file:
        assert u.track_progress(double, list(range(1000)), file=file)[-1] == 1998
    lines = path.read_text().splitlines()
    assert len(lines) == 11
    assert "\r" not in path.read_text()
    assert "1000/1000" in lines[-1]
