"""Servers for the tests: S3 of moto, memcached. Where one cannot be had the test is skipped."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def s3_settings():
    """Settings of a moto server that has the bucket ``bucket``."""
    try:
        import boto3
        import moto.server  # noqa: F401
    except ImportError as error:
        _cannot(f"no S3 server to be had: {error}")
    port = _free_port()
    program = Path(__file__).with_name("atomic_s3_server.py")
    command = [sys.executable, str(program), str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(port)
            settings = dict(
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id="a",
                aws_secret_access_key="b",
                region_name="us-east-1",
            )
            boto3.client("s3", **settings).create_bucket(Bucket="bucket")
            yield settings
        finally:
            process.kill()


@pytest.fixture(scope="session")
def memcached_port():
    program = shutil.which("memcached")
    if program is None:
        _cannot("memcached is not installed")
    pytest.importorskip("pymemcache")
    port = _free_port()
    command = [program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-u", "nobody"]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


@pytest.fixture
def server_list(memcached_port, tmp_path):
    """File that lists the memcached server."""
    path = tmp_path / "servers.conf"
    path.write_text(f"# servers\n127.0.0.1:{memcached_port}\n")
    return path


def _cannot(reason):
    if os.environ.get("ENG_TEST_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no server at port {port}")
