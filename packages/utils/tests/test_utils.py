import io
import multiprocessing
import os
import threading
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import eng.utils as u


def test_managers_under_threads():
    made = []

    class Managed(u.ManagerMixin):
        def __init__(self, name=""):
            super().__init__(name)
            made.append(self)

    with pytest.raises(AssertionError):
        Managed.get_current_instance()
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(Managed.get_instance("a"))) for _ in range(8)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(made) == 1
    assert got == made * 8
    assert Managed.get_current_instance().instance_name == "a"
    assert not Managed.check_instance_created("b")
    with pytest.raises(AssertionError, match="name argument"):
        type(u.ManagerMixin)("Bad", (), {"__init__": lambda self: None})


def double(x):
    return 2 * x


def fail_at_three(x):
    if x == 3:
        raise ValueError("three")
    return x


def die(x):
    os._exit(1)


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
    with pytest.raises(ValueError, match="three") as info:
        u.track_parallel_progress(fail_at_three, list(range(9)), 2, chunksize=2, file=io.StringIO())
    assert "raised by the task of index 3" in info.value.__notes__
    with pytest.raises(BrokenProcessPool):
        u.track_parallel_progress(die, [1], 1, file=io.StringIO())
    assert multiprocessing.active_children() == []


def test_progress_in_a_file_writes_few_lines(tmp_path):
    path = tmp_path / "log"
    with path.open("w") as file:
        assert u.track_progress(double, list(range(1000)), file=file)[-1] == 1998
    lines = path.read_text().splitlines()
    assert len(lines) == 11
    assert "\r" not in path.read_text()
    assert "1000/1000" in lines[-1]


def test_paths(tmp_path):
    for name in ("b.TXT", "a.txt", ".hidden.txt", "d/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(u.scandir(tmp_path, ".txt")) == ["a.txt"]
    found = list(u.scandir(tmp_path, ".txt", recursive=True, case_sensitive=False))
    assert found == ["a.txt", "b.TXT", str(Path("d", "c.txt"))]
    u.symlink("a.txt", tmp_path / "link")
    u.symlink("b.TXT", tmp_path / "link")
    assert (tmp_path / "link").readlink() == Path("b.TXT")
    with pytest.raises(FileExistsError):
        u.symlink("a.txt", tmp_path / "link", overwrite=False)
    assert u.is_abs("s3://a/b")
    assert not u.is_abs("a/b")
    with pytest.raises(FileNotFoundError, match="nope"):
        u.check_file_exist("nope")


def test_packages():
    assert u.is_installed("pytest")
    assert not u.is_installed("not_a_package.at_all")
    assert u.get_installed_path("eng-utils") == str(Path(u.__file__).parent)
    with pytest.raises(PackageNotFoundError):
        u.get_installed_path("not-a-package")
    with pytest.raises(ImportError):
        u.requires_package(["pytest", "not_a_package"])(double)(1)
    with pytest.raises(RuntimeError):
        u.requires_executable("not-a-program")(double)(1)


def test_versions():
    order = ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc0", "1.0rc1", "1.0", "1.0.post1", "1.0.1"]
    digits = [u.digit_version(version) for version in order]
    assert digits == sorted(digits)
    assert u.digit_version("1.2.3rc1") == (1, 2, 3, 0, -1, 1)
    with pytest.raises(ValueError, match="PEP 440"):
        u.digit_version("one")


@given(st.lists(st.integers(0, 5), max_size=6))
def test_slices_join_again(lens):
    items = list(range(sum(lens)))
    assert u.concat_list(u.slice_list(items, lens)) == items


def test_arguments_and_types():
    @u.deprecated_api_warning({"old": "new"})
    def function(new=1):
        return new

    with pytest.warns(DeprecationWarning, match='"old" is deprecated'):
        assert function(old=3) == 3
    with pytest.raises(TypeError), pytest.warns(DeprecationWarning, match="old"):
        function(old=3, new=4)
    assert u.is_seq_of(["a"], str)
    assert not u.is_list_of(("a",), str)
    assert u.to_2tuple(1) == (1, 1)
    assert u.is_method_overridden("f", type("A", (), {"f": 1}), type("B", (), {"f": 2}))
    timer = u.Timer(start=False)
    with pytest.raises(u.TimerError):
        timer.since_start()
    with pytest.raises(ImportError):
        u.import_modules_from_strings(["not_there_x"])
    with pytest.warns(UserWarning, match="not_there_x"):
        assert u.import_modules_from_strings("not_there_x", allow_failed_imports=True) is None
