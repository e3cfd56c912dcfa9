"""An S3 server of moto for tests, which are skipped where there is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def s3_settings() -> Iterator[dict[str, Any]]:
    """Settings of a server that has the bucket ``bucket``."""
    try:
        import boto3
        import moto.server  # noqa: F401
    except ImportError as error:
        if os.environ.get("ENG_TEST_REQUIRE_SERVERS") == "1":
            pytest.fail(f"no S3 server to be had: {error}")
        pytest.skip(f"no S3 server to be had: {error}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from moto.server import main; main()"
    command = [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(port)
            settings = {
                "endpoint_url": f"http://127.0.0.1:{port}",
                "aws_access_key_id": "a",
                "aws_secret_access_key": "b",
                "region_name": "us-east-1",
            }
            boto3.client("s3", **settings).create_bucket(Bucket="bucket")
            yield settings
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no server at port {port}")
