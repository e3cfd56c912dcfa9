"""Local disks: atomic writes, disks that are full, permissions, trees."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eng import fileio
from eng.fileio import atomic

NOBODY = 65534
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="of POSIX systems")


@pytest.fixture(params=["locks", "no locks", "locks that the file system has not"])
def locks(request, monkeypatch):
    """The ways in which a partial file is told from one of a killed writer."""
    if request.param == "no locks":
        monkeypatch.setattr(atomic, "fcntl", None)
    elif request.param != "locks":
        if atomic.fcntl is None:
            pytest.skip("no locks to be missed")

        def flock(fd, operation):
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(atomic.fcntl, "flock", flock)
    return request.param


class Breaks(io.RawIOBase):
    calls = 0

    def read(self, size=-1):
        self.calls += 1
        if self.calls > 1:
            raise OSError("source broke")
        return b"half"


def test_a_failed_write_leaves_the_old_file_and_no_partial(tmp_path, locks):
    path = tmp_path / "file"
    fileio.put(b"old", path)
    with pytest.raises(OSError, match="source broke"):
        fileio.put(Breaks(), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path, locks):
    path = tmp_path / "file"
    for slot in (0, 3):
        left = tmp_path / f".file.eng-partial.{slot}"
        left.write_bytes(b"left by a killed writer")
        hours_ago = time.time() - 7200
        os.utime(left, (hours_ago, hours_ago))
    assert list(fileio.list_dir_or_file(tmp_path)) == []
    fileio.put(b"new", path)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_a_partial_file_in_use_is_left_alone(tmp_path, locks):
    path = str(tmp_path / "file")
    with atomic.atomic_write(path) as slow:
        slow.write(b"sl")
        fileio.put(b"quick", path)
        assert fileio.get(path) == b"quick"
        slow.write(b"ow")
    assert fileio.get(path) == b"slow"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_many_writers_of_one_file(tmp_path, locks):
    path = tmp_path / "file"
    fileio.put(bytes(100_000), path)
    seen, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            data = path.read_bytes()
            seen.add((len(data), len(set(data))))

    def write(number):
        for _ in range(5):
            fileio.put(bytes([number]) * 100_000, path)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(n,)) for n in range(12)]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert seen == {(100_000, 1)}
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


@pytest.mark.parametrize("name", ["n" * 255, "é" * 120])
def test_the_longest_names_are_written(tmp_path, name):
    fileio.put(b"x", tmp_path / name)
    assert fileio.get(tmp_path / name) == b"x"


def test_if_absent(tmp_path, locks):
    path = tmp_path / "file"
    fileio.put(b"first", path, if_absent=True)
    with pytest.raises(FileExistsError, match="file"):
        fileio.put(b"second", path, if_absent=True)
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such locks")
def test_a_failed_write_holds_its_partial_file_until_it_is_removed(tmp_path, monkeypatch):
    """Else it would remove the file of the next writer, who takes the same name."""
    import fcntl

    unlink, removed = os.unlink, []

    def unlink_locked(partial):
        with Path(partial).open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        removed.append(partial)
        unlink(partial)

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("broken source")

    monkeypatch.setattr(os, "unlink", unlink_locked)
    with pytest.raises(OSError, match="broken source"):
        fileio.put(Broken(), tmp_path / "file")
    assert len(removed) == 1
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_of_many_processes_one_writes_if_absent(tmp_path):
    code = (
        "import os, sys, time\n"
        "from eng import fileio\n"
        "folder, number = sys.argv[1:]\n"
        "open(f'{folder}/ready-{number}', 'w').close()\n"
        "while not os.path.exists(f'{folder}/go'):\n"
        "    time.sleep(0.001)\n"
        "try:\n"
        "    fileio.put(number.encode(), f'{folder}/file', if_absent=True)\n"
        "    print(number)\n"
        "except FileExistsError:\n"
        "    pass\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(number)], stdout=subprocess.PIPE
        )
        for number in range(4)
    ]
    while len(list(tmp_path.glob("ready-*"))) < 4:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert [answer for answer in said if answer] == [(tmp_path / "file").read_bytes()]


def test_if_absent_fails_where_it_cannot_be_kept(tmp_path, monkeypatch):
    def link(*args):
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(io.UnsupportedOperation, match=r"file: .*if_absent requires hard links"):
        fileio.put(b"x", tmp_path / "file", if_absent=True)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@posix
def test_modes_and_links_are_kept(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to("file")
    fileio.put(b"new", link)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o750)
    fileio.copyfile(path, tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o750


def test_a_folder_where_a_file_is_meant_and_the_other_way_round(tmp_path):
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    file.write_bytes(b"old")
    for call in (fileio.get, fileio.get_text, fileio.remove, lambda p: fileio.put(b"", p)):
        with pytest.raises(IsADirectoryError, match="folder"):
            call(folder)
    for call in (
        fileio.rmtree,
        fileio.list_dir_or_file,
        lambda p: fileio.copytree(p, tmp_path / "new"),
        lambda p: fileio.put(b"", p / "below"),
    ):
        with pytest.raises(NotADirectoryError, match="file"):
            call(file)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]  # noqa: PTH208
    assert file.read_bytes() == b"old"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk cannot be mounted here: {getattr(error, 'stderr', error)}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("source", [bytes(2 << 20), io.BytesIO(bytes(2 << 20))])
def test_a_full_disk(small_disk, source):
    path = small_disk / "file"
    fileio.put(b"old", path)
    with pytest.raises(OSError, match=r"No space left on device: '.*/small/file'") as error:
        fileio.put(source, path)
    assert error.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["file"]  # noqa: PTH208
    big = small_disk.parent / "big"
    big.write_bytes(bytes(2 << 20))
    with pytest.raises(OSError, match=r"No space left on device: '.*/small/copy'"):
        fileio.copyfile(big, small_disk / "copy")
    assert os.listdir(small_disk) == ["file"]  # noqa: PTH208


@posix
def test_a_file_too_large_for_the_process(tmp_path):
    """What holds for a full disk, where none can be mounted."""
    code = (
        "import resource, signal, sys\n"
        "from eng import fileio\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "fileio.put(b'old', sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    fileio.put(bytes(100_000), sys.argv[1])\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "file"
    said = subprocess.check_output([sys.executable, "-c", code, str(path)], text=True)
    assert str(path) in said
    assert "too large" in said
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


@pytest.fixture
def without_power(tmp_path):
    """Runs a call as a user who may do nothing here, and returns the error's class and text."""
    if not hasattr(os, "fork"):
        pytest.skip("users of POSIX systems")

    def run(call):
        # nothing may be imported as that user, who may not read where Python lies
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            said = "no error\n"
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                call()
            except BaseException as error:
                said = f"{type(error).__name__}\n{error}"
            finally:
                os.write(writer, said.encode())
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            kind, _, message = pipe.read().partition("\n")
        os.waitpid(child, 0)
        return kind, message

    for folder in [tmp_path, *tmp_path.parents]:
        if os.geteuid() == 0 and folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o755)
    return run


def test_no_permission(tmp_path, without_power):
    locked, file = tmp_path / "locked", tmp_path / "locked" / "file"
    locked.mkdir()
    file.write_bytes(b"old")
    file.chmod(0)
    locked.chmod(0o555)
    calls = {
        file: [
            lambda: fileio.get(file),
            lambda: fileio.put(b"new", file),
            lambda: fileio.remove(file),
            lambda: fileio.copyfile(file, locked / "copy"),
        ],
        locked / "new": [
            lambda: fileio.put(b"new", locked / "new"),
            lambda: fileio.put(b"new", locked / "new" / "below"),
        ],
    }
    try:
        for path, of_path in calls.items():
            for call in of_path:
                kind, message = without_power(call)
                assert kind == "PermissionError", message
                assert str(path) in message
    finally:
        locked.chmod(0o755)
    file.chmod(0o644)
    assert file.read_bytes() == b"old"
    assert os.listdir(locked) == ["file"]  # noqa: PTH208


def test_a_tree_that_cannot_be_removed_whole_is_removed_but_for_that(tmp_path, without_power):
    import shutil  # noqa: F401 - not to be imported by the child

    root = tmp_path / "root"
    names = ["a/1", "locked/2", "locked/3", "b/4", "5"]
    for name in names:
        fileio.put(name.encode(), root / name)
    fileio.copytree(root, tmp_path / "warm")
    fileio.rmtree(tmp_path / "warm")
    if os.geteuid() == 0:
        for folder, _, files in os.walk(root):
            os.chown(folder, NOBODY, NOBODY)
            for file in files:
                os.chown(Path(folder) / file, NOBODY, NOBODY)
    (root / "locked").chmod(0o555)
    try:
        kind, message = without_power(lambda: fileio.rmtree(root))
    finally:
        (root / "locked").chmod(0o755)
    assert kind == "PartialFailureError"
    assert "2 of 5 failed" in message
    assert "locked/2" in message
    assert "locked/3" in message
    assert sorted(fileio.list_dir_or_file(root, recursive=True)) == [
        "locked",
        "locked/2",
        "locked/3",
    ]


@posix
def test_a_tree_is_copied_but_for_what_fails(tmp_path):
    source = tmp_path / "source"
    for name in ("a", "b/c", "b/d"):
        fileio.put(name.encode(), source / name)
    (source / "empty").mkdir()
    (source / "b").chmod(0o750)
    (source / "dangling").symlink_to("nowhere")
    with pytest.raises(fileio.PartialFailureError, match=r"1 of 4 failed: dangling"):
        fileio.copytree(source, tmp_path / "copy")
    (source / "dangling").unlink()
    assert fileio.copytree(str(source), str(tmp_path / "copy2")) == str(tmp_path / "copy2")
    found = sorted(fileio.list_dir_or_file(tmp_path / "copy2", recursive=True))
    assert found == ["a", "b", "b/c", "b/d", "empty"]
    assert stat.S_IMODE((tmp_path / "copy2" / "b").stat().st_mode) == 0o750
    before, after = (source / "a").stat(), (tmp_path / "copy2" / "a").stat()
    assert after.st_mtime == before.st_mtime


@posix
def test_removing_a_tree_follows_no_links(tmp_path):
    kept, root = tmp_path / "kept", tmp_path / "root"
    fileio.put(b"x", kept / "file")
    (root / "below").mkdir(parents=True)
    (root / "link").symlink_to(kept)
    (root / "below" / "link").symlink_to(kept)
    with pytest.raises(NotADirectoryError, match="link"):
        fileio.rmtree(root / "link")
    fileio.rmtree(root)
    assert not root.exists()
    assert (kept / "file").read_bytes() == b"x"


@posix
def test_listing_follows_links_and_ends(tmp_path):
    fileio.put(b"x", tmp_path / "elsewhere" / "file")
    root = tmp_path / "root"
    (root / "below").mkdir(parents=True)
    (root / "below" / "loop").symlink_to(root)
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "dangling").symlink_to("nowhere")
    assert sorted(fileio.list_dir_or_file(root, recursive=True)) == [
        "below",
        "below/loop",
        "dangling",
        "link",
        "link/file",
    ]


def test_listing_is_lazy(tmp_path, monkeypatch):
    for number in range(20):
        fileio.put(b"", tmp_path / str(number) / "file")
    scanned, scandir = [], os.scandir

    def count(path):
        scanned.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", count)
    listing = fileio.list_dir_or_file(tmp_path, list_dir=False, recursive=True)
    next(listing)
    assert len(scanned) <= 3
    listing.close()


def test_join_path_is_that_of_the_system(tmp_path):
    joined = fileio.join_path("/path/of/dir1", "dir2", "path/of/file")
    assert joined == "/path/of/dir1/dir2/path/of/file"
    assert fileio.join_path(tmp_path, "a") == str(tmp_path / "a")


def test_a_link_to_itself_is_listed_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "loop").symlink_to("loop")
    assert sorted(fileio.list_dir_or_file(tmp_path)) == ["a.txt", "loop"]
    assert sorted(fileio.list_dir_or_file(tmp_path, list_dir=False, recursive=True)) == [
        "a.txt",
        "loop",
    ]


def test_what_a_function_writes_goes_through_an_overridden_put(tmp_path):
    class Reversing(fileio.LocalBackend):
        def put(self, obj, filepath, *, if_absent=False):
            super().put(obj.read()[::-1], filepath, if_absent=if_absent)

    path = tmp_path / "a"
    Reversing().put_with(lambda file: file.write(b"abc"), path)
    assert path.read_bytes() == b"cba"
