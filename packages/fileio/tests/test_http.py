"""HTTP, from a server that stalls, breaks off, redirects and answers ranges."""

import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from eng import fileio

BODY = bytes(range(256)) * 400


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        self.times = self.server.times
        self.times[self.path] += 1
        self.close_connection = True
        kind = self.path.partition("?")[0].strip("/").partition("-")[0]
        getattr(self, f"send_{kind}", self.send_whole)()

    def send_whole(self, stop=None, tag='"1"', ranges=True):
        data, status, asked = BODY, 200, self.headers.get("Range")
        if asked and ranges and self.headers.get("If-Range", tag) == tag:
            first, last = asked[6:].split("-")
            data, status = BODY[int(first) : int(last) + 1 if last else None], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if tag:
            self.send_header("ETag", tag)
        if status == 206:
            end = int(first) + len(data) - 1
            self.send_header("Content-Range", f"bytes {first}-{end}/{len(BODY)}")
        self.end_headers()
        self.wfile.write(data[:stop])

    def is_first(self):
        return self.times[self.path] == 1

    def send_breaks(self):
        self.send_whole(1000 if self.is_first() else None)

    def send_always(self):
        self.send_whole(10)

    def send_changes(self):
        self.send_whole(1000 if self.is_first() else None, f'"{self.times[self.path]}"')

    def send_untagged(self):
        self.send_whole(1000 if self.is_first() else None, tag=None)

    def send_noranges(self):
        self.send_whole(1000 if self.is_first() else None, ranges=False)

    def send_wrongrange(self):
        self.send_response(206)
        self.send_header("Content-Length", "5")
        self.send_header("Content-Range", f"bytes 0-4/{len(BODY)}")
        self.end_headers()
        self.wfile.write(BODY[:5])

    def send_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(BODY), BODY))
        if not self.is_first():
            self.wfile.write(b"0\r\n\r\n")

    def send_stalls(self):
        if self.is_first():
            self.server.released.wait(20)
        self.send_whole()

    def send_midway(self):
        if self.is_first():
            self.send_whole(1000)
            self.wfile.flush()
            self.server.released.wait(20)
        else:
            self.send_whole()

    def send_busy(self):
        if self.times[self.path] < 3:
            self.send_error(503)
        else:
            self.send_whole()

    def send_status(self):
        self.send_error(int(self.path.rpartition("-")[2]))

    def send_moved(self):
        self.send_response(302)
        self.send_header("Location", "/whole")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_away(self):
        self.send_response(302)
        self.send_header("Location", "file:///etc/hostname")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_name(self):
        data = unquote(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it remembers the proxies


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.asked, httpd.times, httpd.released = [], Counter(), threading.Event()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield httpd
    httpd.released.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def backend(**settings):
    return fileio.HTTPBackend(**{"backoff": 0.01, **settings})


@pytest.mark.parametrize("way", ["get", "get_local_path"])
@pytest.mark.parametrize(
    ("path", "ranges"),
    [
        ("whole", [None]),
        ("breaks", [None, "bytes=1000-"]),
        ("changes", [None, "bytes=1000-"]),
        ("noranges", [None, "bytes=1000-"]),
        ("untagged", [None, None]),
        ("chunked", [None, None]),
        ("busy", [None, None, None]),
        ("moved", [None, None]),
    ],
)
def test_a_file_comes_whole(server, path, ranges, way):
    url = f"{server.url}/{path}"
    if way == "get":
        assert backend().get(url) == BODY
    else:
        with backend().get_local_path(url) as local:
            assert Path(local).read_bytes() == BODY
        assert not Path(local).exists()
    assert [headers.get("Range") for _, headers in server.asked] == ranges


@pytest.mark.parametrize("path", ["stalls", "midway"])
def test_a_server_that_stalls_is_asked_again(server, path):
    assert backend(timeout=0.3).get(f"{server.url}/{path}") == BODY
    assert server.times[f"/{path}"] == 2


def test_a_truncated_download_is_never_taken_for_whole(server):
    url = f"{server.url}/always"
    with pytest.raises(
        ConnectionError, match=r"/always: 3 tries in .* s failed: connection broken after"
    ):
        backend(retries=2).get(url)
    assert server.times["/always"] == 3
    with pytest.raises(ConnectionError), backend(retries=0).get_local_path(url):
        pass


def test_a_broken_endpoint_is_told():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(
        ConnectionError, match=rf":{port}/x: 2 tries in \d+\.\d s failed: .*refused"
    ):
        backend(retries=1).get(f"http://127.0.0.1:{port}/x")
    with pytest.raises(ConnectionError, match=r"1 tries in .* s failed"):
        backend(retries=0).get("http://no-such-host.invalid/x")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, FileNotFoundError),
        (410, FileNotFoundError),
        (401, PermissionError),
        (403, PermissionError),
    ],
)
def test_a_status_becomes_the_error_of_files(server, status, error):
    with pytest.raises(error, match=f"status-{status}"):
        backend().get(f"{server.url}/status-{status}")
    assert len(server.asked) == 1


def test_other_statuses(server):
    with pytest.raises(OSError, match="HTTP status 400"):
        backend().get(f"{server.url}/status-400")
    assert len(server.asked) == 1
    with pytest.raises(ConnectionError, match=r"2 tries in .* s failed: HTTP status 500"):
        backend(retries=1).get(f"{server.url}/status-500")


def test_waits_grow(monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(ConnectionError):
        fileio.HTTPBackend(retries=3, backoff=0.5).get("http://127.0.0.1:9/x")
    assert waits == [0.5, 1.0, 2.0]


def test_ranges(server):
    url = f"{server.url}/whole"
    assert fileio.get(url, backend_args={"byte_range": (5, 9)}) == BODY[5:9]
    assert fileio.get(url, backend_args={"byte_range": (5, None)}) == BODY[5:]
    assert backend(byte_range=(100, 5000)).get(f"{server.url}/breaks") == BODY[100:5000]
    assert server.asked[-1][1]["Range"] == "bytes=1100-4999"
    with pytest.raises(OSError, match="does not support byte ranges"):
        backend(byte_range=(5, 9)).get(f"{server.url}/noranges")
    with pytest.raises(OSError, match="requested bytes from 5, but got bytes 0-4"):
        backend(byte_range=(5, 9)).get(f"{server.url}/wrongrange")


def test_headers_stay_with_the_server_they_are_for(server):
    assert backend(headers={"X-Key": "a"}).get(f"{server.url}/moved") == BODY
    assert [headers.get("X-Key") for _, headers in server.asked] == ["a", None]


def test_no_redirect_leads_to_local_files(server):
    with pytest.raises(OSError, match=r"302|not allowed"):
        backend(retries=0).get(f"{server.url}/away")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("name-a b", "a b"),
        ("name-é-日本", "é-日本"),
        ("name-50%", "50%"),
        ("name-a%20b", "a b"),
        ("name-a%23b", "a#b"),
        ("name-a%3Fb", "a?b"),
        ("name-a?b=c d", "a?b=c d"),
        ("name-a#fragment", "a"),
    ],
)
def test_names(server, written, name):
    assert backend().get_text(f"{server.url}/{written}") == f"/name-{name}"


def test_a_proxy_of_the_environment_is_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert backend().get("http://example.invalid/whole") == BODY
    assert server.asked[0][0] == "http://example.invalid/whole"
    monkeypatch.setenv("no_proxy", "example.invalid")
    with pytest.raises(ConnectionError):
        backend(retries=0).get("http://example.invalid/whole")


def test_a_disk_that_takes_no_more_is_not_tried_again(server):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    local_path = backend().get_local_path(f"{server.url}/whole")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match=r"File too large: '.*whole'"):
            local_path.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(server.asked) == 1


def test_it_only_reads(server):
    with pytest.raises(NotImplementedError, match="HTTPBackend does not support 'put'"):
        fileio.put(b"", server.url)
