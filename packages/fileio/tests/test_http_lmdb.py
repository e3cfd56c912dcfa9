# Paths are text here: pathlib would change URIs, and costs in hot calls.
# ruff: noqa: PTH123
import pickle
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eng import fileio

BODY = bytes(range(256)) * 40


@pytest.fixture
def server():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Range")))
            if self.path == "/none":
                self.send_error(404)
                return
            if self.path == "/busy":
                self.send_error(503)
                return
            data, status = BODY, 200
            if self.headers.get("Range"):
                first, last = self.headers["Range"][6:].split("-")
                data, status = BODY[int(first) : int(last) + 1 if last else None], 206
            self.send_response(status)
            if status == 206:
                end = int(first) + len(data) - 1
                self.send_header("Content-Range", f"bytes {first}-{end}/{len(BODY)}")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            broken = self.path == "/breaks" and len(asked) == 1
            self.wfile.write(data[:1000] if broken else data)

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", asked
    httpd.shutdown()
    httpd.server_close()


def test_http(server):
    url, asked = server
    assert fileio.get(f"{url}/breaks") == BODY
    assert asked == [("/breaks", None), ("/breaks", "bytes=1000-")]
    with fileio.get_local_path(f"{url}/a é.bin") as path, open(path, "rb") as file:
        assert file.read() == BODY
    assert fileio.get(url, backend_args={"byte_range": (5, 9)}) == BODY[5:9]
    with pytest.raises(FileNotFoundError):
        fileio.get(f"{url}/none")
    with pytest.raises(ConnectionError, match=r"2 tries in .*503"):
        fileio.get(f"{url}/busy", backend_args={"retries": 1, "backoff": 0})
    with pytest.raises(NotImplementedError, match="HTTPBackend"):
        fileio.put(b"", url)


@pytest.mark.parametrize("subdir", [True, False])
def test_lmdb(tmp_path, subdir):
    lmdb = pytest.importorskip("lmdb")
    path = str(tmp_path / "db")
    with lmdb.open(path, subdir=subdir) as environment, environment.begin(write=True) as t:
        t.put("clé".encode(), b"value")
    backend = fileio.LmdbBackend(path)
    assert backend.get("clé") == b"value"
    assert pickle.loads(pickle.dumps(backend)).db_path == path
    with backend.get_view("clé") as view:
        assert isinstance(view, memoryview)
        assert view == b"value"
    with pytest.raises(FileNotFoundError, match="no such key"):
        backend.get("none")
    with pytest.raises(FileNotFoundError, match="no such lmdb"):
        fileio.LmdbBackend(tmp_path / "none").get("a")
