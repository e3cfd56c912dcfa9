"""Files behind HTTP and HTTPS."""

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

    A path is a URL: ``?`` in it begins a query, ``#`` a fragment, ``%23`` is a ``#`` of a name.
    Spaces, letters beyond ASCII and a ``%`` that is no such escape may stand as they are.

    A proxy is taken from the environment (``https_proxy``, ``no_proxy``, …). Failures that may
    pass, and transfers shorter than announced, are tried again; the next try continues where the
    last broke off, if the server answers ranges and the file is the same.

    Args:
        timeout: Seconds without an answer. Defaults to 30.
        retries: Further tries after a failure. Defaults to 3.
        backoff: Seconds before the first retry, doubled each time. Defaults to 0.5.
        headers: Further request headers. They are not sent on to where a server redirects.
            Defaults to None.
        byte_range: First byte and the byte after the last to be read; None for the latter means
            to the end. Defaults to None: all.
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
            ConnectionError: If no try succeeded; tells their number and the time.
        """
        buffer = io.BytesIO()
        self._receive(to_text(filepath), buffer)
        return buffer.getvalue()  # shares the buffer's memory

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read text from a given ``filepath``; line ends stay as they are."""
        return self.get(filepath).decode(encoding)

    @override
    def _download(self, filepath: str, local: str) -> None:
        with atomic_write(local) as file:
            self._receive(filepath, file)

    def _receive(self, url: str, sink: IO[bytes]) -> None:
        """Read a file into an empty seekable one, in as many tries as are allowed."""
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
            except _BrokenOffError as error:
                failure, tag = str(error), error.tag
            except _NoRangesError as error:
                raise OSError(f"{url}: {error}") from error
        raise ConnectionError(
            f"{url}: {self.retries + 1} tries in {time.monotonic() - begun:.1f} s failed: {failure}"
        )

    def _try_once(self, url: str, sink: IO[bytes], tag: str | None) -> None:
        """Append the body to ``sink``, or what is missing there of the version with this tag."""
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
            raise _BrokenOffError(reason, tag) from error
        with response:
            if response.status != 206:
                _truncate(sink)
                if self.byte_range:
                    raise _NoRangesError("the server does not answer byte ranges")
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise _NoRangesError(
                    f"asked for bytes from {start}, got {response.headers.get('Content-Range')}"
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
            raise _BrokenOffError(
                f"broke off after {sink.tell()} of {whole or 'unknown'} bytes"
                + (f" ({problem})" if problem else ""),
                None if tag is None or tag.startswith("W/") else tag,
            ) from problem


class _BrokenOffError(Exception):
    """A try failed; the next one goes on with it, if ``tag`` says which version it was."""

    def __init__(self, message: str, tag: str | None) -> None:
        super().__init__(message)
        self.tag = tag


class _NoRangesError(Exception):
    """A server that cannot send the part of a file that was asked for."""


def _truncate(sink: IO[bytes]) -> None:
    sink.seek(0)
    sink.truncate()
