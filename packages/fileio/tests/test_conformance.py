import itertools
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eng import fileio
from eng.fileio.testing import BackendConformance, ReaderConformance

_numbers = itertools.count()


class TestLocal(BackendConformance):
    @pytest.fixture
    def backend(self):
        return fileio.LocalBackend()

    @pytest.fixture
    def root(self, tmp_path):
        return str(tmp_path / "store")


class TestMemory(BackendConformance):
    @pytest.fixture
    def backend(self):
        return fileio.get_file_backend("memory://a")

    @pytest.fixture
    def root(self):
        return f"memory://conformance/{next(_numbers)}"


class TestLmdb(ReaderConformance):
    @pytest.fixture
    def backend(self, tmp_path):
        lmdb = pytest.importorskip("lmdb")
        path = str(tmp_path / "db")
        with lmdb.open(path) as environment, environment.begin(write=True) as transaction:
            transaction.put(b"folder/stored.txt", self.reader_content)
        return fileio.LmdbBackend(path)

    @pytest.fixture
    def stored(self):
        return "folder/stored.txt"

    @pytest.fixture
    def missing(self):
        return "folder/missing.txt"


class TestHTTP(ReaderConformance):
    @pytest.fixture
    def url(self, tmp_path):
        (tmp_path / "stored.txt").write_bytes(self.reader_content)
        handler = partial(_Quiet, directory=str(tmp_path))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()

    @pytest.fixture
    def backend(self):
        return fileio.HTTPBackend()

    @pytest.fixture
    def stored(self, url):
        return f"{url}/stored.txt"

    @pytest.fixture
    def missing(self, url):
        return f"{url}/missing.txt"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
