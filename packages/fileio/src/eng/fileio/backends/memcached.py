"""Values in memcached servers."""

import hashlib
import re
import sys
from typing import Any
from urllib.parse import quote

from eng.fileio.paths import PathLike, to_text

from .base import BaseStorageBackend

_NUMBERS = ("timeout", "connect_timeout", "max_pool_size", "retry_attempts", "retry_timeout")


class MemcachedBackend(BaseStorageBackend):
    """Memcached storage backend, for reading; needs ``pip install eng-fileio[memcached]``.

    Keys are paths; what memcached does not allow in a key is percent-encoded, and a key beyond 250
    bytes becomes its SHA-256 digest: see :meth:`key_of`.

    Args:
        server_list_cfg: File with one ``host:port`` or ``host port`` a line.
        client_cfg: File with ``name = value`` lines: timeout, connect_timeout (seconds),
            max_pool_size, retry_attempts, retry_timeout (seconds). Other names are not used.
        sys_path: Additional path to be appended to ``sys.path``. Defaults to None.

    Raises:
        FileNotFoundError: If one of the files does not exist.
        ValueError: If a line of them cannot be read; names file and line.
    """

    def __init__(
        self, server_list_cfg: PathLike, client_cfg: PathLike, sys_path: str | None = None
    ) -> None:
        if sys_path is not None and sys_path not in sys.path:
            sys.path.append(sys_path)
        self.server_list_cfg, self.client_cfg = to_text(server_list_cfg), to_text(client_cfg)
        self.sys_path = sys_path
        try:
            from pymemcache.client.hash import HashClient
        except ImportError as error:
            raise ImportError(
                "MemcachedBackend needs: pip install eng-fileio[memcached]"
            ) from error
        servers = []
        for place, line in _lines(self.server_list_cfg):
            match = re.fullmatch(r"(\S+?)[:\s]+(\d+)", line)
            if match is None:
                raise ValueError(f"{place}: expected host:port, got {line!r}")
            servers.append((match[1], int(match[2])))
        if not servers:
            raise ValueError(f"{self.server_list_cfg} lists no server")
        settings: dict[str, Any] = {"timeout": 10.0, "connect_timeout": 10.0}
        for place, line in _lines(self.client_cfg):
            name, separator, value = (part.strip() for part in line.partition("="))
            if not separator:
                raise ValueError(f"{place}: expected name = value, got {line!r}")
            if name in _NUMBERS:
                try:
                    number = float(value)
                except ValueError:
                    raise ValueError(f"{place}: {name} is a number, not {value!r}") from None
                whole = name in ("max_pool_size", "retry_attempts")
                settings[name] = int(number) if whole else number
        self._client = HashClient(servers, use_pooling=True, ignore_exc=False, **settings)

    def __reduce__(self) -> tuple[Any, ...]:
        # connections are of this process: another one makes its own
        return type(self), (self.server_list_cfg, self.client_cfg, self.sys_path)

    @staticmethod
    def key_of(filepath: PathLike) -> str:
        """Return the key under which a path is looked up."""
        key = quote(to_text(filepath), safe="/%:=&?~#+!$,;'@()*[]")
        return key if len(key) <= 250 else hashlib.sha256(key.encode()).hexdigest()

    def get(self, filepath: PathLike) -> bytes:
        """Return the value of a path.

        Raises:
            FileNotFoundError: If no server has it.
        """
        value: bytes | None = self._client.get(self.key_of(filepath))
        if value is None:
            servers = self.server_list_cfg
            raise FileNotFoundError(2, f"not in the memcached of {servers}", to_text(filepath))
        return value

    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Return the value of a path as text."""
        return self.get(filepath).decode(encoding)

    def exists(self, filepath: PathLike) -> bool:
        """Check whether a server has a path."""
        return self._client.get(self.key_of(filepath)) is not None

    isfile = exists


def _lines(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        texts = [line.partition("#")[0].strip() for line in file]
    return [
        (f"{path}, line {number}", text)
        for number, text in enumerate(texts, 1)
        if text and not text.startswith("[")
    ]
