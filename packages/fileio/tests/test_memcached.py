import os
import shutil
import socket
import subprocess
import time

import pytest

from eng import fileio
from eng.fileio.testing import ReaderConformance


@pytest.fixture
def port():
    program = shutil.which("memcached")
    if program is None:
        if os.environ.get("ENG_TEST_REQUIRE_SERVERS") == "1":
            pytest.fail("memcached is not installed")
        pytest.skip("memcached is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    command = [program, "-l", "127.0.0.1", "-p", str(number), "-U", "0", "-u", "nobody"]
    process = subprocess.Popen(command)
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", number)) == 0:
                break
        time.sleep(0.05)
    yield number
    process.kill()
    process.wait()


def test_memcached(port, tmp_path):
    from pymemcache.client.base import Client

    (tmp_path / "servers").write_text(f"# servers\n127.0.0.1:{port}\n")
    (tmp_path / "client").write_text("timeout = 2\n")
    backend = fileio.MemcachedBackend(tmp_path / "servers", tmp_path / "client")
    Client(("127.0.0.1", port)).set(backend.key_of("/a b/é"), b"value", noreply=False)
    assert backend.get("/a b/é") == b"value"
    assert backend.get_text("/a b/é") == "value"
    with pytest.raises(FileNotFoundError):
        backend.get("x" * 1000)
    (tmp_path / "client").write_text("timeout = soon\n")
    with pytest.raises(ValueError, match="line 1: timeout"):
        fileio.MemcachedBackend(tmp_path / "servers", tmp_path / "client")


class TestMemcached(ReaderConformance):
    @pytest.fixture
    def backend(self, port, tmp_path):
        from pymemcache.client.base import Client

        client = Client(("127.0.0.1", port))
        client.set("folder/stored.txt", self.reader_content, noreply=False)
        client.close()
        servers, settings = tmp_path / "servers.conf", tmp_path / "client.conf"
        servers.write_text(f"127.0.0.1:{port}\n")
        settings.write_text("")
        return fileio.MemcachedBackend(str(servers), str(settings))

    @pytest.fixture
    def stored(self):
        return "folder/stored.txt"

    @pytest.fixture
    def missing(self):
        return "folder/missing.txt"
