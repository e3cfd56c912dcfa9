"""Read files by HTTP and HTTPS."""

from __future__ import annotations

import io
import re
import time
from typing import IO, TYPE_CHECKING

from ..atomic import atomic_write
from ..override import override
from ..uris import PathLike, to_text
from .base import BaseStorageBackend

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["HTTPBackend"]

_SAFE = "/%:=&?~#+!$,;'@()*[]"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


class HTTPBackend(BaseStorageBackend):
    """HTTP and HTTPS storage backend, for reading.

    A path is a URL: ``?`` begins a query, ``#`` a fragment, and ``%23`` is a ``#`` in a name.
    Spaces, non-ASCII letters and a ``%`` that is not an escape are quoted automatically.

    Proxies are taken from the environment (``https_proxy``, ``no_proxy``, …). Transient failures
    and truncated transfers are retried; a retry resumes the download if the server supports ranges
    and the file has not changed.

    Args:
        timeout: Seconds without a response. Defaults to 30.
        retries: Number of retries after a failure. Defaults to 3.
        backoff: Seconds before the first retry, doubled for each further one. Defaults to 0.5.
        headers: Additional request headers, which are not sent to redirected locations. Defaults
            to None.
        byte_range: First byte and the byte after the last; None for the latter reads to the end.
            Defaults to None: the whole file.
    """

    def __init__(
        self,
        timeout: float = 30,
        retries: int = 3,
        backoff: float = 0.5,
        headers: dict[str, str] | None = None,
        byte_range: tuple[int, int | None] | None = None,
    ) -> None:
        self.timeout, self.retries, self.backoff = timeout, retries, backoff
        self.headers, self.byte_range = dict(headers or {}), byte_range

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Read bytes from a given ``filepath``.

        Raises:
            FileNotFoundError: On status 404 and 410.
            PermissionError: On status 401 and 403.
            ConnectionError: If no try succeeded; the message has the number of tries and the time.
        """
        buffer = io.BytesIO()
        self._receive(to_text(filepath), buffer)
        return buffer.getvalue()  # shares the buffer's memory

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read text from a given ``filepath``; line endings are kept."""
        return self.get(filepath).decode(encoding)

    @override
    def _download(self, filepath: str, local: str) -> None:
        with atomic_write(local) as file:
            self._receive(filepath, file)

    def _receive(self, url: str, sink: IO[bytes]) -> None:
        """Read a file into an empty seekable file, with retries."""
        from urllib.error import HTTPError
        from urllib.parse import quote

        quoted = quote(_STRAY_PERCENT.sub("%25", url), safe=_SAFE)
        begun, failure, tag = time.monotonic(), "", None
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(self.backoff * 2 ** (attempt - 1))
            try:
                self._try_once(quoted, sink, tag)
                return
            except HTTPError as error:
                error.close()
                if error.code in (404, 410):
                    raise FileNotFoundError(2, f"HTTP status {error.code}", url) from error
                if error.code in (401, 403):
                    raise PermissionError(13, f"HTTP status {error.code}", url) from error
                if error.code not in _TRANSIENT:
                    raise OSError(f"{url}: HTTP status {error.code} {error.reason}") from error
                failure = f"HTTP status {error.code}"
            except _BrokenTransferError as error:
                failure, tag = str(error), error.tag
            except _NoRangesError as error:
                raise OSError(f"{url}: {error}") from error
        raise ConnectionError(
            f"{url}: {self.retries + 1} tries in {time.monotonic() - begun:.1f} s failed: {failure}"
        )

    def _try_once(self, url: str, sink: IO[bytes], tag: str | None) -> None:
        """Append the body to ``sink``, or the rest of it if it still has this tag."""
        import http.client
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        if tag is None:
            _truncate(sink)
        start, stop = self.byte_range or (0, None)
        start += sink.tell()
        request = Request(url, headers={"Accept-Encoding": "identity"})
        for name, value in self.headers.items():
            request.add_unredirected_header(name, value)
        if tag is not None:
            request.add_header("If-Range", tag)
        if tag is not None or self.byte_range:
            request.add_header("Range", f"bytes={start}-{'' if stop is None else stop - 1}")
        try:
            response = urlopen(request, timeout=self.timeout)
        except HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            raise _BrokenTransferError(reason, tag) from error
        with response:
            if response.status != 206:
                _truncate(sink)
                if self.byte_range:
                    raise _NoRangesError("the server does not support byte ranges")
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise _NoRangesError(
                    f"requested bytes from {start}, but got {response.headers.get('Content-Range')}"
                )
            self._read(response, sink)

    @staticmethod
    def _read(response: HTTPResponse, sink: IO[bytes]) -> None:
        import http.client

        announced = response.headers.get("Content-Length")
        whole = None if announced is None else sink.tell() + int(announced)
        problem: Exception | None = None
        while True:
            try:
                chunk = response.read1(1 << 20)
            except (OSError, http.client.HTTPException) as error:
                problem = error
                break
            if not chunk:
                break
            sink.write(chunk)
        if problem is not None or (whole is not None and sink.tell() != whole):
            tag = response.headers.get("ETag")
            raise _BrokenTransferError(
                f"connection broken after {sink.tell()} of {whole or 'unknown'} bytes"
                + (f" ({problem})" if problem else ""),
                None if tag is None or tag.startswith("W/") else tag,
            ) from problem


class _BrokenTransferError(Exception):
    """A try failed; the next one resumes it if ``tag`` identifies the version."""

    def __init__(self, message: str, tag: str | None) -> None:
        super().__init__(message)
        self.tag = tag


class _NoRangesError(Exception):
    """The server does not support the requested range."""


def _truncate(sink: IO[bytes]) -> None:
    sink.seek(0)
    sink.truncate()
