"""Upload and download objects of S3 in parallel parts.

Uploads are those of boto3. Downloads are not, since boto3 requests the size of an object before it
reads the first byte, buffers up to 256 MiB, and restarts broken parts from their beginning.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from ..parallel import gather_parts
from ..streams import make_binary_reader
from ..types import Bytes, BytesSource, OpenFile

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from botocore.response import StreamingBody

__all__ = [
    "FileSink",
    "MemorySink",
    "S3Client",
    "Sink",
    "download",
    "prepare",
    "upload",
    "upload_file",
]

PART = 16 << 20
_WORKERS = 8  # parts in flight
_MOST_PARTS = 10_000
#: An unfinished upload is considered abandoned by a killed writer after this time.
ABANDONED_AFTER = timedelta(days=1)
_CHUNK = 256 << 10
_BACKOFF_S = 0.2

#: A client of boto3, which creates its class at run time, without stubs.
S3Client: TypeAlias = Any

#: Answer to a request, or a page of it, as boto3 returns it.
S3Answer: TypeAlias = "dict[str, Any]"

#: Function of the size of an object, which returns the function that stores a chunk at an offset.
Sink: TypeAlias = Callable[[int], Callable[[int, bytes], object]]


def prepare(client: S3Client, if_absent: bool) -> None:
    """Let a client remove uploads of killed writers and, with ``if_absent``, never replace objects.

    Uploads of boto3 do not support conditions, which are added to their requests.
    """
    events = client.meta.events
    drop = lambda params, **_: _abort_abandoned(client, params["Bucket"], params["Key"])  # noqa: E731
    events.register("provide-client-params.s3.CreateMultipartUpload", drop)
    if if_absent:
        for call in ("PutObject", "CompleteMultipartUpload"):
            events.register(
                f"provide-client-params.s3.{call}",
                lambda params, **_: {**params, "IfNoneMatch": "*"},
            )


def upload(client: S3Client, place: dict[str, str], source: BytesSource, path: str) -> None:
    """Store bytes or the rest of a binary file; a large one in parts.

    Raises:
        TypeError: If ``source`` is neither bytes-like nor a file that yields bytes.
    """
    reader = _FullReads(source, path)
    head = reader.read(PART)
    if len(head) < PART:  # without the threads of an upload in parts
        client.put_object(**place, Body=head)
        return
    reader.put_back(head)
    client.upload_fileobj(reader, **place, Config=_make_part_config(_measure(source)))


def upload_file(client: S3Client, place: dict[str, str], local: str, path: str) -> None:
    """Store a local file, which the threads of its parts read themselves."""
    from boto3.exceptions import S3UploadFailedError

    size = Path(local).stat().st_size
    if size < PART:
        with open(local, "rb") as file:  # noqa: PTH123
            upload(client, place, file, path)
        return
    try:
        client.upload_file(local, **place, Config=_make_part_config(size))
    except S3UploadFailedError as error:  # hides the error that all other calls raise
        raise error.__context__ or error from None


def _make_part_config(size: int) -> TransferConfig:
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(
        multipart_threshold=PART,
        multipart_chunksize=max(PART, size // (_MOST_PARTS - 1) + 1),
        max_concurrency=_WORKERS,
        preferred_transfer_client="classic",  # the other one, in C, does not call event handlers
    )
    config.max_in_memory_upload_chunks = _WORKERS
    return config


def download(client: S3Client, place: dict[str, str], sink: Sink, path: str, retries: int) -> None:
    """Read an object, a large one in parallel parts, into ``sink``.

    Raises:
        ConnectionError: If all tries of a part failed; the message has their number and the time.
        OSError: If the object was replaced during each try.
    """
    from botocore.exceptions import ClientError

    for _ in range(retries + 1):
        try:
            _download_version(client, place, sink, path, retries)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("412", "PreconditionFailed"):
                raise
    raise OSError(f"{path}: replaced {retries + 1} times while it was read")


def _download_version(
    client: S3Client, place: dict[str, str], sink: Sink, path: str, retries: int
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
        gather_parts(fetch, range(0, size, PART), _WORKERS)


def _fetch(
    client: S3Client,
    place: dict[str, str],
    body: StreamingBody | None,
    span: tuple[int, int, int],
    write: Callable[[int, bytes], object],
    path: str,
    retries: int,
) -> None:
    """Read a part, and resume it after a broken connection."""
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
                    body.read(1)  # at the end boto3 verifies the checksum of a whole object
            return
        except BotoCoreError as error:
            failure, body = str(error), None
            at = at if at < stop else start
    raise ConnectionError(
        f"{path}: {retries + 1} tries in {time.monotonic() - begun:.1f} s failed: "
        f"connection broken after {at} of {size} bytes: {failure}"
    )


class _FullReads:
    """A source whose reads return the requested size, except the last: parts must not be short."""

    def __init__(self, source: BytesSource, path: str) -> None:
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._read: Callable[[int], Bytes] = _ViewReader(source).read
        else:
            self._read = make_binary_reader(source, path)
        self._head = b""

    def put_back(self, head: bytes) -> None:
        self._head = head

    def read(self, size: int = -1) -> bytes:
        size = size if size >= 0 else _MOST_PARTS * PART
        pieces: list[Bytes] = [self._head[:size]]
        self._head = self._head[size:]
        missing = size - len(pieces[0])
        while missing > 0 and (piece := self._read(min(missing, PART))):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)


class _ViewReader:
    """Reads bytes in memory; unlike ``io.BytesIO`` without a copy."""

    def __init__(self, data: Bytes) -> None:
        self._rest = memoryview(data).cast("B")

    def read(self, size: int) -> memoryview:
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _measure(source: BytesSource) -> int:
    """Return the number of bytes in a source, or 0 if it is unknown."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return memoryview(source).nbytes
    file: OpenFile = source
    try:
        position = file.tell()
        size = file.seek(0, io.SEEK_END) - position
        file.seek(position)
    except (AttributeError, OSError):  # a pipe, or an object with ``read`` only
        return 0
    return int(size)


class MemorySink:
    """Collects an object in the memory of its ``bytes``, without a second copy."""

    def __call__(self, size: int) -> Callable[[int, bytes], object]:
        """Allocate memory for an object of ``size`` bytes."""
        self._buffer = io.BytesIO()
        if size:
            self._buffer.seek(size - 1)
            self._buffer.write(b"\0")
        self._view = view = self._buffer.getbuffer()

        def write(offset: int, chunk: bytes) -> None:
            view[offset : offset + len(chunk)] = chunk

        return write

    def getvalue(self) -> bytes:
        """Return the object; must be called only once."""
        self._view.release()  # otherwise the value would be a copy
        return self._buffer.getvalue()


class FileSink:
    """Writes an object to a seekable file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._lock = file, threading.Lock()

    def __call__(self, size: int) -> Callable[[int, bytes], object]:
        """Start an object of ``size`` bytes."""
        self._file.truncate(0)
        return self._write

    def _write(self, offset: int, chunk: bytes) -> None:
        with self._lock:
            self._file.seek(offset)
            self._file.write(chunk)


def _abort_abandoned(client: S3Client, bucket: str, key: str) -> None:
    """Remove the invisible parts that killed writers of this key have left."""
    from botocore.exceptions import BotoCoreError, ClientError

    before = datetime.now(timezone.utc) - ABANDONED_AFTER
    pages = client.get_paginator("list_multipart_uploads")
    with contextlib.suppress(BotoCoreError, ClientError):  # write access does not imply list access
        for page in pages.paginate(Bucket=bucket, Prefix=key):
            for entry in page.get("Uploads", ()):
                if entry["Key"] == key and entry["Initiated"] < before:
                    client.abort_multipart_upload(
                        Bucket=bucket, Key=key, UploadId=entry["UploadId"]
                    )
