import io
import multiprocessing
import os
import re
import subprocess
import sys
import types
import warnings
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eng.utils as u


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
@settings(deadline=None)
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


def test_casts_and_tuples():
    assert list(u.iter_cast(["1", "2"], int)) == [1, 2]
    assert u.list_cast((1, 2), str) == ["1", "2"]
    assert u.tuple_cast([1.5], int) == (1,)
    with pytest.raises(TypeError, match="iterable"):
        u.iter_cast(1, int)
    with pytest.raises(TypeError, match="valid type"):
        u.list_cast([1], "int")
    assert (u.to_1tuple(1), u.to_3tuple(1), u.to_4tuple("a")) == ((1,), (1, 1, 1), "a")
    assert u.to_ntuple(5)(None) == (None,) * 5
    assert u.to_2tuple([1, 2, 3]) == [1, 2, 3]
    assert u.is_str("a")
    assert not u.is_str(b"a")
    assert u.is_tuple_of((1, "a"), (int, str))
    assert not u.is_seq_of([1], int, seq_type=tuple)
    with pytest.raises(TypeError, match="seq_type"):
        u.is_seq_of([1], int, seq_type="list")
    assert u.slice_list([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
    for lens, error in ((3, ValueError), ([1, 2], ValueError), ("a", TypeError)):
        with pytest.raises(error):
            u.slice_list([1, 2, 3, 4], lens)
    assert u.has_method("a", "upper")
    assert not u.has_method("a", "__doc__")


def test_files(tmp_path):
    u.mkdir_or_exist(tmp_path / "a" / "b")
    u.mkdir_or_exist(tmp_path / "a" / "b")
    u.mkdir_or_exist("")
    with u.fopen(tmp_path / "a" / "f", "w", encoding="utf-8") as file:
        file.write("ü")
    assert u.fopen(str(tmp_path / "a" / "f"), encoding="utf-8").read() == "ü"
    with pytest.raises(FileExistsError):
        u.mkdir_or_exist(tmp_path / "a" / "f")
    with pytest.raises(ValueError, match="string or a Path, but it is a int"):
        u.fopen(1)
    assert u.is_filepath(tmp_path)
    assert not u.is_filepath(1)
    with pytest.raises(FileNotFoundError, match=r"lost: .*nope"):
        u.check_file_exist(tmp_path / "nope", "lost: {}")
    for arguments in ((1,), (tmp_path, 3)):
        with pytest.raises(TypeError):
            u.scandir(*arguments)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert list(u.scandir(tmp_path, recursive=True)) == [str(Path("a", "f"))]
    with pytest.raises(IsADirectoryError):
        u.symlink("f", tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "f", "loop"]


def test_programs_and_checkouts(tmp_path, monkeypatch):
    u.call_command(["true"])
    with pytest.raises(subprocess.CalledProcessError):
        u.call_command(["false"])
    asked = []
    monkeypatch.setattr(subprocess, "check_call", asked.append)
    u.install_package("pytest")  # is installed: nothing to do
    u.install_package("not-a-package-at-all")
    assert [command[1:] for command in asked] == [["-m", "pip", "install", "not-a-package-at-all"]]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert u.get_git_hash(fallback="none") == "none"
    with pytest.raises(TypeError, match="digits"):
        u.get_git_hash(digits="7")

    @u.check_prerequisites(["a", "b"], checker=lambda name: name == "a")
    def function():
        pass

    with pytest.raises(RuntimeError, match='"b" are required in method "function"'):
        function()


def test_timers(capsys):
    assert u.check_time("a name of this test") == 0.0
    assert u.check_time("a name of this test") > 0
    with u.Timer(print_tmpl="took {:.1f} s.") as timer:
        assert timer.is_running
    assert re.fullmatch(r"took \d+\.\d s\.\n", capsys.readouterr().out)
    assert not timer.is_running
    timer = u.Timer()
    first = timer.since_start()
    assert timer.since_last_check() >= 0
    assert timer.since_start() >= first


def test_a_deprecated_argument_by_position():
    @u.deprecated_api_warning({"old": "new"}, cls_name="Box")
    def function(old=None, new=1):
        return old, new

    with pytest.warns(DeprecationWarning, match=r"`Box\.function`"):
        assert function(3) == (None, 3)
    assert function(new=2) == (None, 2)


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (u.ArgumentTypeError, TypeError),
        (u.ArgumentValueError, ValueError),
        (u.ArgumentKeyError, KeyError),
        (u.ArgumentIndexError, IndexError),
    ],
)
def test_errors_of_arguments_have_two_parents(error, parent):
    for caught in (parent, AssertionError):
        with pytest.raises(caught) as info:
            raise error("'x' should be one of 'a', 'b'")
        assert str(info.value) == "'x' should be one of 'a', 'b'"


@pytest.mark.parametrize("spec", ["missing", "none"])
def test_a_module_made_by_hand_counts_as_installed(monkeypatch, spec):
    module = types.ModuleType("handmade")
    if spec == "missing":
        del module.__spec__
    monkeypatch.setitem(sys.modules, "handmade", module)
    assert u.is_installed("handmade")
    assert u.requires_package("handmade")(lambda: 3)() == 3
    assert not u.is_installed("handmade.inner")
    with pytest.raises(PackageNotFoundError):
        u.get_installed_path("handmade")
    monkeypatch.setitem(sys.modules, "blocked", None)
    assert not u.is_installed("blocked")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: u.digit_version("nothing"), ValueError),
        (lambda: u.is_seq_of([1], int, seq_type=3), TypeError),
        (lambda: u.is_method_overridden("keys", {}, {}), TypeError),
        (lambda: u.ManagerMixin.get_instance(3), TypeError),
        (lambda: u.ManagerMixin(""), ValueError),
        (
            lambda: u.deprecated_api_warning({"old": "new"})(lambda new=0: new)(new=1, old=2),
            TypeError,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_of_arguments_are_assertion_errors_too(call, error):
    for kind in (error, AssertionError):
        with pytest.raises(kind):
            call()


def test_the_root_of_a_repository(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / ".hg").mkdir()
    (inner / "file.py").write_text("")
    assert u.find_vcs_root(inner / "file.py", (".hg",)) == str(tmp_path / "a")
    assert u.find_vcs_root(inner, markers=["file.py"]) == str(inner)
    assert u.find_vcs_root(inner, (".eng-no-such",)) is None


def test_the_module_of_a_distribution():
    from importlib import metadata

    assert u.package2module("pluggy") == "pluggy"
    if any(
        each.name == "eng-utils" for each in metadata.distributions()
    ):  # as a wheel, or editable
        assert u.package2module("eng-utils") == "eng.utils"
    with pytest.raises(metadata.PackageNotFoundError):
        u.package2module("eng-no-such")
    assert u.MODULE2PACKAGE["mmseg"] == "mmsegmentation"
    assert len(u.MODULE2PACKAGE) == 19


def test_a_deprecated_function_says_what_to_use():
    @u.deprecated_function("1.0", "2.0", "use train")
    def fit(a, b=2):
        """Fit."""
        return a + b

    for _ in range(2):
        with pytest.warns(
            DeprecationWarning, match=r"fit is deprecated in version 1\.0.*2\.0: use"
        ):
            assert fit(1) == 3
    assert fit.__name__ == "fit"
    assert fit.__doc__.startswith(".. deprecated:: 1.0")
    assert fit.__doc__.endswith("use train.\n\nFit.")


def test_arguments_for_an_instance_that_is_there_are_warned_of():
    class Lamp(u.ManagerMixin):
        def __init__(self, name="", watts=1):
            super().__init__(name)
            self.watts = watts

    first = Lamp.get_instance("desk", watts=40)
    with pytest.warns(UserWarning, match="Lamp has an instance called 'desk' already.*watts not"):
        assert Lamp.get_instance("desk", watts=60) is first
    assert first.watts == 40
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Lamp.get_instance("desk") is first
        assert Lamp.get_instance("floor", watts=60).watts == 60


def test_a_package_comes_before_its_extension_in_c(tmp_path, monkeypatch):
    info = tmp_path / "PyKaml-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: PyKaml\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("_kaml\nkaml\n")
    for name in ("_kaml", "kaml"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert u.package2module("PyKaml") == "kaml"
