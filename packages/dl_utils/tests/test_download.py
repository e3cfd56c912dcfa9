"""Downloads from a server on loopback that breaks off and answers ranges."""

import hashlib
import io
import re
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from eng.dl_utils import load_url


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.ranges = []
        self.break_after = None
        self.stall, self.released = threading.Event(), threading.Event()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        data = self.server.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        if first >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if self.server.stall.is_set():
            self.server.released.wait(30)
        end, self.server.break_after = self.server.break_after, None
        self.wfile.write(data[first : first + end if end else None])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def saved(value):
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def fetch(server, name, folder, **settings):
    return load_url(server.url(name), str(folder), progress=False, **settings)


def visible(folder):
    return sorted(p.name for p in folder.iterdir() if p.suffix != ".lock")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(server, tmp_path):
    data = saved({"a": torch.arange(1000)})
    name = f"model-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    server.files[name] = data
    server.break_after = 500
    with pytest.raises(RuntimeError, match=rf"interrupted at 500 of {len(data)} bytes"):
        fetch(server, name, tmp_path, check_hash=True)
    assert visible(tmp_path) == [name + ".part"]
    loaded = fetch(server, name, tmp_path, check_hash=True)
    assert loaded["a"].tolist() == list(range(1000))
    assert server.ranges == [None, "bytes=500-"]
    assert visible(tmp_path) == [name]


def test_a_wrong_hash_is_told_and_nothing_stays(server, tmp_path):
    data = saved({"a": 1})
    server.files["model-0123abcd.pth"] = data
    digest = hashlib.sha256(data).hexdigest()
    with pytest.raises(
        RuntimeError, match=rf"hash mismatch: .* has sha256 {digest}, its name has 0123abcd"
    ):
        fetch(server, "model-0123abcd.pth", tmp_path, check_hash=True)
    assert visible(tmp_path) == []
    with pytest.raises(ValueError, match=r"not 'plain\.pth'"):
        fetch(server, "plain.pth", tmp_path, check_hash=True)


def test_a_partial_file_larger_than_the_whole_is_fetched_anew(server, tmp_path):
    server.files["m.pth"] = saved({"a": 1})
    (tmp_path / "m.pth.part").write_bytes(bytes(100_000))
    assert fetch(server, "m.pth", tmp_path) == {"a": 1}
    assert server.ranges == ["bytes=100000-", None]


def test_eight_that_ask_at_once_download_once(server, tmp_path):
    server.files["m.pth"] = saved({"a": torch.zeros(100_000)})
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: fetch(server, "m.pth", tmp_path), range(8)))
    assert [value["a"].numel() for value in loaded] == [100_000] * 8
    assert server.ranges == [None]


def test_a_zip_is_unpacked_and_the_name_can_be_chosen(server, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("weights.pth", saved({"a": 2}))
    server.files["weights.zip"] = packed.getvalue()
    assert fetch(server, "weights.zip", tmp_path, file_name="mine.zip") == {"a": 2}
    assert visible(tmp_path) == ["mine.zip"]


def test_what_is_not_there_is_told_with_its_url(server, tmp_path):
    with pytest.raises(RuntimeError, match=r"cannot download .*/none\.pth: .*404"):
        fetch(server, "none.pth", tmp_path)
    assert visible(tmp_path) == []


def test_a_silent_server_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr("eng.dl_utils.download._SILENCE", 0.2)
    server.files["m.pth"] = saved({"a": 1})
    server.stall.set()
    with pytest.raises(RuntimeError, match=r"m\.pth interrupted at 0 bytes: .*timed out"):
        fetch(server, "m.pth", tmp_path)


def test_an_archive_of_several_files_is_refused(server, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.pth", b"")
        archive.writestr("b.pth", b"")
    server.files["two.zip"] = packed.getvalue()
    with pytest.raises(RuntimeError, match=r"must contain one file, not \['a\.pth', 'b\.pth'\]"):
        fetch(server, "two.zip", tmp_path)


def test_nobody_listening_is_told(tmp_path):
    with pytest.raises(RuntimeError, match=r"cannot download http://127\.0\.0\.1:9/m\.pth"):
        load_url("http://127.0.0.1:9/m.pth", str(tmp_path), progress=False)


def test_a_progress_bar_is_shown_on_request(server, tmp_path, capsys):
    server.files["m.pth"] = saved({"a": 1})
    load_url(server.url("m.pth"), str(tmp_path))
    assert "100" in capsys.readouterr().err


def test_load_url_checks_the_hash_and_caches(tmp_path):
    torch.save({"a": 1}, tmp_path / "m-00000000.pth")
    url = (tmp_path / "m-00000000.pth").as_uri()
    with pytest.raises(RuntimeError, match="has sha256"):
        load_url(url, str(tmp_path / "cache"), check_hash=True, progress=False)
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}
    (tmp_path / "m-00000000.pth").unlink()
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}


@pytest.mark.parametrize("name", ["../x.pth", "/x.pth", "a/../../x.pth", "s3://b/x.pth"])
def test_a_name_stays_in_its_folder(tmp_path, name):
    with pytest.raises(ValueError, match="file_name is outside"):
        load_url("http://127.0.0.1:9/x.pth", str(tmp_path / "cache"), file_name=name)
