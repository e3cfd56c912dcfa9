"""Values of an LMDB database, on disk."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from eng import fileio

lmdb = pytest.importorskip("lmdb")

KEYS = ["plain", "clé", "a b", "a#b", "a?b", "100%41", "日本", "a/../b", "k" * 511]


@pytest.fixture(params=["folder", "file"])
def path(request, tmp_path):
    path = tmp_path / "db"
    with (
        lmdb.open(str(path), subdir=request.param == "folder") as environment,
        environment.begin(write=True) as transaction,
    ):
        for key in KEYS:
            transaction.put(key.encode(), f"value of {key}".encode())
    return str(path)


def test_values(path):
    backend = fileio.LmdbBackend(path)
    assert backend.db_path == path
    for key in KEYS:
        assert backend.get(key) == f"value of {key}".encode()
        assert backend.get_text(key) == f"value of {key}"
        assert backend.exists(key)
        with backend.get_view(key) as view:
            assert isinstance(view, memoryview)
            assert view == f"value of {key}".encode()
    assert backend.get(Path("a b")) == b"value of a b"


@pytest.mark.parametrize("key", ["none", "", "k" * 512])
def test_a_key_that_is_not_there(path, key):
    backend = fileio.LmdbBackend(path)
    assert not backend.exists(key)
    with pytest.raises(FileNotFoundError, match=r"no such key in .*db"):
        backend.get(key)


def test_no_database(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("none", "empty"):
        with pytest.raises(FileNotFoundError, match=f"LMDB database does not exist: .*{name}"):
            fileio.LmdbBackend(tmp_path / name).get("a")
    (tmp_path / "junk").write_bytes(b"x" * 10_000)
    with pytest.raises(lmdb.Error, match=r"junk.*not an LMDB file"):
        fileio.LmdbBackend(tmp_path / "junk").get("a")


def test_several_backends_of_one_database(path):
    one, two = fileio.LmdbBackend(path), fileio.LmdbBackend(path)
    copy = pickle.loads(pickle.dumps(one))
    by_name = fileio.get_file_backend(backend_args={"backend": "lmdb", "db_path": path})
    for backend in (one, two, copy, by_name):
        assert backend.get("plain") == b"value of plain"


@pytest.mark.parametrize("lock", [False, True])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="of POSIX systems")
def test_forked_processes(path, lock):
    backend = fileio.LmdbBackend(path, lock=lock)
    assert backend.get("plain") == b"value of plain"
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                found = [backend.get(key) for key in KEYS]
                status = 0 if found == [f"value of {key}".encode() for key in KEYS] else 2
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert backend.get("plain") == b"value of plain"


@pytest.mark.parametrize("lock", [False, True])
def test_a_pickled_backend_reads_in_a_new_process(path, lock):
    backend = fileio.LmdbBackend(path, lock=lock)
    assert backend.get("plain") == b"value of plain"
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).get_text('plain'))"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, input=pickle.dumps(backend)) == b"value of plain\n"


def test_settings_go_to_lmdb(path):
    backend = fileio.LmdbBackend(path, readonly=False, map_size=1 << 20)
    assert backend.get("plain") == b"value of plain"
    with pytest.raises(TypeError, match="no_such"):
        fileio.LmdbBackend(path, no_such=1).get("plain")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="of POSIX systems")
def test_a_view_of_the_parent_outlives_a_child(path):
    backend = fileio.LmdbBackend(path)
    with backend.get_view("plain") as view:
        child = os.fork()
        if child == 0:
            os._exit(backend.get("plain") != b"value of plain")
        assert os.waitpid(child, 0)[1] == 0
        assert view == b"value of plain"
