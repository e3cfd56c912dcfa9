"""Writers that are killed at any moment leave nothing half-written."""

import os
import random
import signal
import time

import pytest

from eng import fileio

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked writers")


def kill_a_writer(write, longest, dice):
    """Let a child write again and again, and kill it within ``longest`` seconds of a beginning."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            while True:
                os.write(writer, b".")
                write()
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"."
    time.sleep(dice.random() * longest)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reader)
    assert os.WIFSIGNALED(status), "the writer failed before it was killed"


@pytest.mark.parametrize("kills", [40, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_killed_local_writes_leave_nothing_half_written(tmp_path, kills):
    size, path, dice = 1 << 20, tmp_path / "file", random.Random(0)
    fileio.put(bytes(size), path)
    killed_inside = 0
    for turn in range(kills):
        kill_a_writer(lambda t=turn: fileio.put(bytes([t % 256]) * size, path), 0.01, dice)
        data = path.read_bytes()
        assert len(data) == size
        assert data == data[:1] * size
        killed_inside += len(list(tmp_path.iterdir())) > 1
    assert killed_inside > 0
    fileio.put(b"last", path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.exhaustive
def test_killed_s3_writes_leave_nothing_half_written(s3_settings, monkeypatch):
    import boto3

    from eng.fileio.backends import s3_transfer

    monkeypatch.setattr(s3_transfer, "PART", 5 << 20)  # the smallest part that S3 takes
    size, path, dice = (11 << 20) + 1, "s3://bucket/killed/file", random.Random(0)
    client = boto3.client("s3", **s3_settings)

    def unfinished():
        uploads = client.list_multipart_uploads(Bucket="bucket", Prefix="killed/")
        return len(uploads.get("Uploads", ()))

    start = time.monotonic()
    fileio.put(bytes(size), path, s3_settings)
    longest = 1.5 * (time.monotonic() - start)
    killed_inside, written = 0, set()
    for turn in range(1, 51):
        content = bytes([turn]) * size
        kill_a_writer(lambda c=content: fileio.put(c, path, s3_settings), longest, dice)
        data = fileio.get(path, s3_settings)
        assert len(data) == size
        assert data == data[:1] * size
        written.add(data[0])
        killed_inside += unfinished() > 0
        if not killed_inside and data[0] != turn:
            longest *= 1.25  # a busy machine: a child does not come to its upload in that time
    assert killed_inside > 0
    assert len(written) > 1
    fileio.put(bytes(size), path, s3_settings)  # moto gives every upload a date long ago
    assert unfinished() == 0
