"""Values of memcached, from a real server."""

import os
import pickle
import socket

import pytest

from eng import fileio
from eng.fileio.testing import ReaderConformance

NAMES = ["/a b/é", "a#b", "a?b=1", "100%41", "日本", "a\tb", "n" * 250]


@pytest.fixture
def client(memcached_port):
    from pymemcache.client.base import Client

    client = Client(("127.0.0.1", memcached_port))
    client.flush_all()
    yield client
    client.close()


@pytest.fixture
def client_cfg(tmp_path):
    path = tmp_path / "client.conf"
    path.write_text("[pool]\ntimeout = 2  # seconds\nmax_pool_size=4\nno_such = 1\n")
    return path


class TestMemcached(ReaderConformance):
    @pytest.fixture
    def backend(self, client, server_list, client_cfg):
        client.set("folder/stored.txt", self.reader_content, noreply=False)
        return fileio.MemcachedBackend(str(server_list), str(client_cfg))

    @pytest.fixture
    def stored(self):
        return "folder/stored.txt"

    @pytest.fixture
    def missing(self):
        return "folder/missing.txt"


@pytest.mark.parametrize("name", NAMES)
def test_names(client, server_list, client_cfg, name):
    backend = fileio.MemcachedBackend(server_list, client_cfg)
    assert not backend.exists(name)
    client.set(backend.key_of(name), name.encode(), noreply=False)
    assert backend.get_text(name) == name
    assert backend.exists(name)
    # keys that memcached allows stay as they are
    assert (backend.key_of(name) == name) == (
        name.isascii() and name.isprintable() and " " not in name
    )


def test_keys_differ(server_list, client_cfg):
    backend = fileio.MemcachedBackend(server_list, client_cfg)
    names = [*NAMES, "n" * 251, "n" * 252, "é" * 200]
    keys = [backend.key_of(name) for name in names]
    assert len(set(keys)) == len(names)
    assert max(map(len, keys)) <= 250


def test_settings(client, server_list, client_cfg, tmp_path):
    import sys

    args = {
        "backend": "memcached",
        "server_list_cfg": str(server_list),
        "client_cfg": str(client_cfg),
        "sys_path": str(tmp_path),
    }
    try:
        backend = fileio.get_file_backend(backend_args=args)
        assert sys.path[-1] == str(tmp_path)
    finally:
        sys.path.remove(str(tmp_path))
    assert (backend.server_list_cfg, backend.client_cfg) == (str(server_list), str(client_cfg))
    client.set("k", b"v", noreply=False)
    assert pickle.loads(pickle.dumps(backend)).get("k") == b"v"
    sys.path.remove(str(tmp_path))


@pytest.mark.parametrize(
    ("servers", "settings", "message"),
    [
        ("one:two\n", "", r"servers, line 1: expected host:port, but got 'one:two'"),
        ("# none\n", "", r"servers has no servers"),
        (
            "a:1\n",
            "\ntimeout = soon\n",
            r"client, line 2: timeout must be a number, but got 'soon'",
        ),
        ("a:1\n", "timeout\n", r"client, line 1: expected name = value"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, servers, settings, message):
    (tmp_path / "servers").write_text(servers)
    (tmp_path / "client").write_text(settings)
    with pytest.raises(ValueError, match=message):
        fileio.MemcachedBackend(tmp_path / "servers", tmp_path / "client")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="of POSIX systems")
def test_forked_processes_have_connections_of_their_own(client, server_list, client_cfg):
    backend = fileio.MemcachedBackend(server_list, client_cfg)
    names = [f"{number}" for number in range(300)]
    for name in names:
        client.set(name, name.encode(), noreply=False)

    def reads_right():
        return all(backend.get(name) == name.encode() for _ in range(3) for name in names)

    assert reads_right()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if reads_right() else 2
            finally:
                os._exit(status)
        children.append(child)
    assert reads_right()
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]


def test_a_missing_file_of_settings(tmp_path, server_list):
    with pytest.raises(FileNotFoundError, match="none"):
        fileio.MemcachedBackend(tmp_path / "none", tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="none"):
        fileio.MemcachedBackend(server_list, tmp_path / "none")


def test_a_server_that_is_not_there_is_told(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "servers").write_text(f"[servers]\n127.0.0.1 {port}\n")
    (tmp_path / "client").write_text("")
    backend = fileio.MemcachedBackend(tmp_path / "servers", tmp_path / "client")
    with pytest.raises(
        ConnectionError, match=r"k: 3 tries in \d+\.\d s at the memcached of .*servers"
    ):
        backend.get("k")
