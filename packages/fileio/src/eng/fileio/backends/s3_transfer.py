"""Objects of S3 up and down in parallel parts.

boto3's own transfer manager has no ``If-None-Match``, asks for an object's size before it reads
the first byte, and tries a part that broke off from its beginning.
"""

import contextlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from eng.fileio.atomic import binary_reader
from eng.fileio.parallel import gather_parts

PART = 8 << 20
#: An upload that has not ended after this time is taken for one of a killed writer.
ABANDONED_AFTER = timedelta(days=1)
_CHUNK = 256 << 10
_BACKOFF_S = 0.2

#: Takes an object's size; returns what stores a chunk at an offset.
Sink = Callable[[int], Callable[[int, bytes], Any]]


def upload(
    client: Any, place: dict[str, str], source: Any, path: str, extra: dict[str, str], workers: int
) -> None:
    """Store bytes or a binary file: in one request, or as parts that become an object at the end.

    Args:
        client: Of boto3.
        place: Bucket and key.
        source: Bytes-like, or a file of which the rest is read.
        path: For messages.
        extra: Conditions of the write.
        workers: Parts in flight, each held in memory.
    """
    blocks = _blocks(source, path)
    head = next(blocks)
    if len(head) < PART:
        client.put_object(**place, Body=head, **extra)
        return
    _abort_abandoned(client, place)
    whole = {**place, "UploadId": client.create_multipart_upload(**place)["UploadId"]}

    def parts() -> Iterator[tuple[int, bytes]]:
        yield 1, head
        yield from enumerate(blocks, 2)

    def send(part: tuple[int, bytes]) -> dict[str, Any]:
        answer = client.upload_part(**whole, PartNumber=part[0], Body=part[1])
        return {"PartNumber": part[0], "ETag": answer["ETag"]}

    try:
        done = gather_parts(send, parts(), workers)
        client.complete_multipart_upload(**whole, MultipartUpload={"Parts": done}, **extra)
    except BaseException:
        # What went wrong is told, not that a store which cannot be reached cannot tidy up
        # either: the next write to this key does.
        with contextlib.suppress(*_boto_errors()):
            client.abort_multipart_upload(**whole)
        raise


def download(
    client: Any, place: dict[str, str], sink: Sink, path: str, retries: int, workers: int
) -> None:
    """Read an object, a large one in parallel parts, into what ``sink`` makes for its size.

    Raises:
        ConnectionError: If a part broke off again and again; tells the tries and the time.
        OSError: If the object changed again and again while it was read.
    """
    from botocore.exceptions import ClientError

    for _ in range(retries + 1):
        try:
            _download_version(client, place, sink, path, retries, workers)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("412", "PreconditionFailed"):
                raise
    raise OSError(f"{path}: replaced {retries + 1} times while it was read")


def _download_version(
    client: Any, place: dict[str, str], sink: Sink, path: str, retries: int, workers: int
) -> None:
    response = client.get_object(**place)
    size = response["ContentLength"]
    write = sink(size)

    def fetch(start: int) -> None:
        span = (start, min(start + PART, size), size)
        body = None if start else response["Body"]
        version = {**place, "IfMatch": response["ETag"]}
        _fetch(client, version, body, span, write, path, retries)

    if size <= PART:
        fetch(0)
    else:
        gather_parts(fetch, range(0, size, PART), workers)


def _fetch(
    client: Any,
    place: dict[str, str],
    body: Any,
    span: tuple[int, int, int],
    write: Callable[[int, bytes], Any],
    path: str,
    retries: int,
) -> None:
    """Read one part; where it breaks off, go on from there."""
    from botocore.exceptions import BotoCoreError, IncompleteReadError

    start, stop, size = span
    at, begun, failure = start, time.monotonic(), ""
    for attempt in range(retries + 1):
        if attempt:
            time.sleep(_BACKOFF_S * 2 ** (attempt - 1))
        if body is None:
            body = client.get_object(**place, Range=f"bytes={at}-{stop - 1}")["Body"]
        try:
            with contextlib.closing(body):
                while at < stop:
                    chunk = body.read(min(_CHUNK, stop - at))
                    if not chunk:
                        raise IncompleteReadError(
                            actual_bytes=at - start, expected_bytes=stop - start
                        )
                    write(at, chunk)
                    at += len(chunk)
                if stop - start == size:
                    body.read(1)  # at the end, boto3 compares the checksum of a whole object
            return
        except BotoCoreError as error:
            failure, body = str(error), None
            at = at if at < stop else start
    raise ConnectionError(
        f"{path}: {retries + 1} tries in {time.monotonic() - begun:.1f} s failed: "
        f"broke off after {at} of {size} bytes: {failure}"
    )


def _blocks(source: Any, path: str) -> Iterator[bytes]:
    """Cut a source into blocks of a part's size, at least one; only the last is shorter.

    The size doubles every 1,000 parts: an object has 10,000 at most, and may be of 5 TiB.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = _ViewReader(source)
    read = binary_reader(source, path)
    number = 0
    while True:
        size = missing = PART << number // 1000
        pieces = []
        while missing > 0 and (piece := read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        block = b"".join(pieces)
        if block or not number:
            yield block
        if len(block) < size:
            return
        number += 1


class _ViewReader:
    """Reads from bytes in memory; unlike ``io.BytesIO`` without a copy of all."""

    def __init__(self, data: Any) -> None:
        self._rest = memoryview(data).cast("B")

    def read(self, size: int) -> memoryview:
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


class MemorySink:
    """Collects an object in the memory that becomes its ``bytes``: there is no second copy."""

    def __call__(self, size: int) -> Callable[[int, bytes], Any]:
        """Make room for an object of ``size`` bytes."""
        self._buffer = io.BytesIO()
        if size:
            self._buffer.seek(size - 1)
            self._buffer.write(b"\0")
        self._view = view = self._buffer.getbuffer()

        def write(offset: int, chunk: bytes) -> None:
            view[offset : offset + len(chunk)] = chunk

        return write

    def getvalue(self) -> bytes:
        """Return the object; to be called once."""
        self._view.release()  # or the value were a copy
        return self._buffer.getvalue()


class FileSink:
    """Writes an object into a file that is open for seeking."""

    def __init__(self, file: Any) -> None:
        self._file, self._lock = file, threading.Lock()

    def __call__(self, size: int) -> Callable[[int, bytes], Any]:
        """Begin an object of ``size`` bytes."""
        self._file.truncate(0)
        return self._write

    def _write(self, offset: int, chunk: bytes) -> None:
        with self._lock:
            self._file.seek(offset)
            self._file.write(chunk)


def _abort_abandoned(client: Any, place: dict[str, str]) -> None:
    """Drop the parts that killed writers of this key left, which take space unseen."""
    before = datetime.now(timezone.utc) - ABANDONED_AFTER
    pages = client.get_paginator("list_multipart_uploads")
    with contextlib.suppress(*_boto_errors()):  # not everybody who may write may list
        for page in pages.paginate(Bucket=place["Bucket"], Prefix=place["Key"]):
            for entry in page.get("Uploads", ()):
                if entry["Key"] == place["Key"] and entry["Initiated"] < before:
                    client.abort_multipart_upload(**place, UploadId=entry["UploadId"])


def _boto_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError
