import os
import socket
import subprocess
import sys
import time
import uuid

import pytest

from eng import fileio
from eng.fileio.testing import BackendConformance


@pytest.fixture(scope="module")
def args():
    try:
        import boto3
        import moto  # noqa: F401
    except ImportError as error:
        if os.environ.get("ENG_TEST_REQUIRE_SERVERS") == "1":
            raise
        pytest.skip(f"no S3 server to be had: {error}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    settings = dict(
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
    )
    try:
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        boto3.client("s3", **settings).create_bucket(Bucket="bucket")
        yield settings
    finally:
        process.kill()
        process.wait()


def test_files(args):
    path = "s3://bucket/a b#?%é/f"
    fileio.put(b"one", path, args)
    assert fileio.get(path, args) == b"one"
    assert fileio.isdir("petrel://bucket/a b#?%é", args)
    with pytest.raises(FileExistsError):
        fileio.put(b"two", path, args, if_absent=True)
    assert fileio.get_many([path] * 3, args) == [b"one"] * 3
    with pytest.raises(FileNotFoundError):
        fileio.get("s3://bucket/none", args)
    with pytest.raises(IsADirectoryError):
        fileio.get("s3://bucket/a b#?%é", args)
    with pytest.raises(ValueError, match="climbs"):
        fileio.get("s3://bucket/../x", args)
    assert fileio.get(fileio.generate_presigned_url(path, backend_args=args)) == b"one"
    fileio.remove(path, args)
    assert not fileio.exists(path, args)


def test_large_objects_come_back_and_a_broken_upload_leaves_the_old(args):
    data = os.urandom(20 << 20)
    fileio.put(data, "s3://bucket/large", args)
    assert fileio.get("s3://bucket/large", args) == data

    class Breaks:
        left = 2

        def read(self, size):
            self.left -= 1
            if self.left < 0:
                raise OSError("source broke")
            return bytes(size)

    with pytest.raises(OSError, match="source broke"):
        fileio.put(Breaks(), "s3://bucket/large", args)
    assert fileio.get("s3://bucket/large", args) == data


def test_trees(args, tmp_path):
    for name in ("x.txt", "d/y.txt", "d/e/z.bin"):
        fileio.put(b"1", f"s3://bucket/tree/{name}", args)
    found = list(fileio.list_dir_or_file("s3://bucket/tree", recursive=True, backend_args=args))
    assert sorted(found) == ["d", "d/e", "d/e/z.bin", "d/y.txt", "x.txt"]
    assert set(fileio.list_dir_or_file("s3://bucket/tree", backend_args=args)) == {"d", "x.txt"}
    down = str(tmp_path / "down")
    fileio.copytree_to_local("s3://bucket/tree", down, args)
    assert fileio.get(f"{down}/d/e/z.bin") == b"1"
    fileio.copytree("s3://bucket/tree", "s3://bucket/copy", args)
    fileio.rmtree("s3://bucket/copy", args)
    assert not fileio.exists("s3://bucket/copy", args)


def test_a_broken_endpoint_is_told():
    settings = dict(
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        retries=0,
    )
    with pytest.raises(ConnectionError, match=r"1 tries in .* s failed"):
        fileio.get("s3://bucket/x", settings)


class TestS3(BackendConformance):
    @pytest.fixture
    def backend(self, args):
        return fileio.get_file_backend("s3://bucket", backend_args=args)

    @pytest.fixture
    def root(self):
        return f"s3://bucket/conformance/{uuid.uuid4()}"
