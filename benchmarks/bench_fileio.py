"""Speed of eng.fileio, as ratios in one run: small files, batches, large objects, listings.

The S3 server is moto on loopback. The batch of small objects is read through a relay that holds
each request back for 25 ms, less than S3 takes for its first byte: on loopback alone two processes
that share two cores would be measured, not the waiting that a batch saves.
"""

import contextlib
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from math import hypot
from pathlib import Path
from statistics import median, quantiles

import boto3
from measure import compare, import_ms, report, report_ratio, run_all, seconds, take_turns

from eng import fileio

MIB = 1 << 20
ANSWER_S = 0.025


def load_package():
    return report("import eng.fileio over bare python", import_ms("eng.fileio", 15), 60, " ms")


def small_file(folder):
    path = str(folder / "small")
    fileio.put(os.urandom(4096), path)

    def plain():
        for _ in range(2000):
            with open(path, "rb") as file:  # noqa: PTH123
                file.read()

    def ours():
        for _ in range(2000):
            fileio.get(path)

    timed = compare(ours, plain, 15)
    a, b = timed.ours / 2000 * 1e6, timed.theirs / 2000 * 1e6
    return report("small file", a, 1.2 * b + 5, " us", f"open().read() {b:.1f} us")


def listing(folder):
    root = folder / "many"
    for part in range(100):
        inner = root / str(part)
        inner.mkdir(parents=True)
        for number in range(1000):
            (inner / f"{number}.jpg").touch()

    def ours():
        for _ in fileio.list_dir_or_file(str(root), list_dir=False, recursive=True):
            pass

    def plain():
        for _, _, names in os.walk(root):
            for _ in names:
                pass

    return report_ratio("list 100,000 files", compare(ours, plain, 7), 1.5, "os.walk")


def batch(settings):
    client = boto3.client("s3", **settings)
    keys = [f"small/{number}" for number in range(1000)]
    fileio.get_file_backend("s3://bucket", backend_args=settings)
    for key in keys:
        client.put_object(Bucket="bucket", Key=key, Body=os.urandom(4096))

    def plain(client):
        for key in keys:
            client.get_object(Bucket="bucket", Key=key)["Body"].read()

    def ours(settings):
        fileio.get_many([f"s3://bucket/{key}" for key in keys], settings)

    a, b = seconds(lambda: ours(settings)), seconds(lambda: plain(client))
    print(f"1,000 objects on bare loopback: one by one over get_many {b / a:.1f}")
    with relay(settings["endpoint_url"]) as far:
        there = {**settings, "endpoint_url": far}
        client = boto3.client("s3", **there)
        timed = compare(lambda: ours(there), lambda: plain(client), 3)
    what = "1,000 S3 objects, one by one over get_many"
    return report(what, timed.theirs / timed.ours, 4, " times", at_least=True)


def large(settings, folder):
    client = boto3.client("s3", **settings)
    source, target = folder / "large", folder / "down"
    source.write_bytes(os.urandom(256 * MIB))
    data = source.read_bytes()
    path = "s3://bucket/ours"
    pairs = {
        "upload of bytes": (
            lambda: fileio.put(data, path, settings),
            lambda: client.upload_fileobj(io.BytesIO(data), "bucket", "theirs"),
        ),
        "upload of a file": (
            lambda: fileio.copyfile_from_local(source, path, settings),
            lambda: client.upload_file(str(source), "bucket", "theirs"),
        ),
        "download to bytes": (
            lambda: fileio.get(path, settings),
            lambda: client.download_fileobj("bucket", "theirs", io.BytesIO()),
        ),
        "download to a file": (
            lambda: fileio.copyfile_to_local(path, target, settings),
            lambda: _to_disk(client, folder / "theirs"),
        ),
    }
    holds = True
    for what, (ours, theirs) in pairs.items():
        ratio, error, took = against(ours, theirs, 21 if what.startswith("upload") else 7)
        line = f"256 MiB {what} over boto3's transfer manager"
        # uploads are the work of boto3 itself, so that the ratio is 1 but for chance
        detail = f"limit 1 give or take {error:.2f}; {took:.2f} s"
        holds &= report(line, ratio, 1 + error, " times", detail)
    return holds


def against(ours, theirs, rounds):
    """The ratio of two medians, its uncertainty, and the time of the first.

    The uncertainty of a median is that of the notches in box plots, 1.57 IQR / sqrt(n) (McGill,
    Tukey and Larsen, "Variations of Box Plots", 1978).
    """
    (a, a_error), (b, b_error) = (
        (median(each), 1.57 * _iqr(each) / len(each) ** 0.5)
        for each in take_turns({"ours": ours, "theirs": theirs}, rounds).values()
    )
    return a / b, a / b * hypot(a_error / a, b_error / b), a


def _iqr(values):
    first, _, third = quantiles(values)
    return third - first


def _to_disk(client, path):
    """Like ours, not before it is on disk."""
    client.download_file("bucket", "theirs", str(path))
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def moto():
    port = _free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:
            while not _answers(port):
                time.sleep(0.1)
            settings = {
                "endpoint_url": f"http://127.0.0.1:{port}",
                "aws_access_key_id": "a",
                "aws_secret_access_key": "b",
                "region_name": "us-east-1",
            }
            boto3.client("s3", **settings).create_bucket(Bucket="bucket")
            yield settings
        finally:
            server.kill()


def transfers():
    with tempfile.TemporaryDirectory() as name, moto() as settings:
        folder = Path(name)
        return all([small_file(folder), listing(folder), batch(settings), large(settings, folder)])


@contextlib.contextmanager
def relay(endpoint):
    """A process between client and server that holds each request back."""
    port = _free_port()
    command = [sys.executable, __file__, "relay", str(port), endpoint.rpartition(":")[2]]
    with subprocess.Popen(command) as process:
        try:
            while not _answers(port):
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def run_relay(port, to):
    def pump(source, sink, delay):
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                time.sleep(delay)
                sink.sendall(block)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", to))
            for source, sink, delay in ((near, far, ANSWER_S), (far, near, 0)):
                threading.Thread(target=pump, args=(source, sink, delay), daemon=True).start()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["relay"]:
        run_relay(int(sys.argv[2]), int(sys.argv[3]))
    run_all(load_package, transfers)
