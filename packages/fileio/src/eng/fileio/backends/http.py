"""Files behind HTTP and HTTPS."""

import time
from typing import Any

from eng.fileio.paths import PathLike, to_text

from .base import BaseStorageBackend

_SAFE = "/%:=&?~#+!$,;'@()*[]"
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


class HTTPBackend(BaseStorageBackend):
    """HTTP and HTTPS storage backend, for reading.

    A proxy is taken from the environment (``https_proxy``, ``no_proxy``, …). Failures that may
    pass, and transfers shorter than announced, are tried again; the next try continues where the
    last broke off, if the server answers ranges and the file is the same.

    Args:
        timeout: Seconds without an answer. Defaults to 30.
        retries: Further tries after a failure. Defaults to 3.
        backoff: Seconds before the first retry, doubled each time. Defaults to 0.5.
        headers: Further request headers. Defaults to None.
        byte_range: First byte and the byte after the last to be read. Defaults to None: all.
    """

    def __init__(
        self,
        timeout: float = 30,
        retries: int = 3,
        backoff: float = 0.5,
        headers: dict[str, str] | None = None,
        byte_range: tuple[int, int] | None = None,
    ) -> None:
        self.timeout, self.retries, self.backoff = timeout, retries, backoff
        self.headers, self.byte_range = dict(headers or {}), byte_range

    def get(self, filepath: PathLike) -> bytes:
        """Read bytes from a given ``filepath``.

        Raises:
            FileNotFoundError: On status 404 and 410.
            PermissionError: On status 401 and 403.
            ConnectionError: If no try succeeded; tells their number and the time.
        """
        import http.client
        from urllib.error import HTTPError
        from urllib.parse import quote

        url = to_text(filepath)
        quoted, parts, tag = quote(url, safe=_SAFE), bytearray(), None
        begun, failure = time.monotonic(), ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(self.backoff * 2 ** (attempt - 1))
            try:
                tag = self._receive(quoted, parts, tag)
                return bytes(parts)
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
            except (OSError, http.client.HTTPException) as error:
                failure = str(getattr(error, "reason", error)) or type(error).__name__
                if tag is None:
                    parts.clear()
        raise ConnectionError(
            f"{url}: {self.retries + 1} tries in {time.monotonic() - begun:.1f} s failed: {failure}"
        )

    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read text from a given ``filepath``."""
        return self.get(filepath).decode(encoding)

    def _receive(self, url: str, parts: bytearray, tag: str | None) -> str | None:
        """Append the body, or what is missing of it, to ``parts``."""
        from urllib.request import Request, urlopen

        headers = {"Accept-Encoding": "identity", **self.headers}
        start, stop = self.byte_range or (0, 0)
        if not tag:
            parts.clear()
        if parts and tag:
            headers["If-Range"] = tag
        if parts or self.byte_range:
            headers["Range"] = f"bytes={start + len(parts)}-{stop - 1 if stop else ''}"
        with urlopen(Request(url, headers=headers), timeout=self.timeout) as response:
            if response.status != 206:
                parts.clear()
                if self.byte_range:
                    raise OSError("the server does not answer byte ranges")
            length = response.headers.get("Content-Length")
            whole = len(parts) + int(length) if length is not None else None
            tag = response.headers.get("ETag")
            tag = None if tag is None or tag.startswith("W/") else tag
            problem: Any = None
            try:
                while chunk := response.read1(1 << 20):
                    parts += chunk
            except Exception as error:
                problem = error
            if problem is not None or (whole is not None and len(parts) != whole):
                raise _BrokenOffError(
                    f"broke off after {len(parts)} of {whole} bytes", tag
                ) from problem
        return tag


class _BrokenOffError(Exception):
    def __init__(self, message: str, tag: str | None) -> None:
        super().__init__(message)
        self.tag = tag
