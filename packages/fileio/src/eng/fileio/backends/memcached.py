"""Read and cache values in memcached servers."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..override import override
from ..types import Settings
from ..uris import PathLike, to_text
from .base import BaseStorageBackend

if TYPE_CHECKING:
    from pymemcache.client.base import PooledClient

__all__ = ["MemcachedBackend", "MemcachedCache"]

_NUMBERS: dict[str, type[float] | type[int]] = {
    "timeout": float,
    "connect_timeout": float,
    "max_pool_size": int,
    "retry_attempts": int,
}
_PAUSE_S = 30  # during which a cache is not used after a failure


class MemcachedBackend(BaseStorageBackend):
    """Memcached storage backend, for reading; requires ``pip install eng-fileio[memcached]``.

    Keys are paths; characters that memcached does not allow are percent-encoded, and keys over 250
    bytes are replaced by their SHA-256 digest: see :meth:`key_of`.

    Args:
        server_list_cfg: File with one ``host:port`` or ``host port`` per line.
        client_cfg: File with ``name = value`` lines: timeout, connect_timeout (seconds),
            max_pool_size, retry_attempts. Other names are ignored.
        sys_path: Path to append to ``sys.path``. Defaults to None.

    Raises:
        FileNotFoundError: If one of the files does not exist.
        ValueError: If a line is invalid; the message has the file and line.
    """

    def __init__(
        self, server_list_cfg: PathLike, client_cfg: PathLike, sys_path: str | None = None
    ) -> None:
        if sys_path is not None and sys_path not in sys.path:
            sys.path.append(sys_path)
        self.server_list_cfg, self.client_cfg = to_text(server_list_cfg), to_text(client_cfg)
        self.sys_path = sys_path
        self._servers = _Servers(self.server_list_cfg, self.client_cfg)

    @override
    def __reduce__(self) -> tuple[object, ...]:
        # Connections belong to this process: another one creates its own.
        return type(self), (self.server_list_cfg, self.client_cfg, self.sys_path)

    @staticmethod
    def key_of(filepath: PathLike) -> str:
        """Return the key of a path."""
        key = quote(to_text(filepath), safe="/%:=&?~#+!$,;'@()*[]")
        return key if len(key) <= 250 else hashlib.sha256(key.encode()).hexdigest()

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Return the value of a path.

        Raises:
            FileNotFoundError: If the path is not stored.
            ConnectionError: If all tries failed; the message has their number and the time.
        """
        value = self._lookup(filepath)
        if value is None:
            servers = self.server_list_cfg
            raise FileNotFoundError(2, f"not in the memcached of {servers}", to_text(filepath))
        return value

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Return the value of a path as text."""
        return self.get(filepath).decode(encoding)

    @override
    def exists(self, filepath: PathLike) -> bool:
        """Check whether a path is stored."""
        return self._lookup(filepath) is not None

    isfile = exists

    def _lookup(self, filepath: PathLike) -> bytes | None:
        from pymemcache.exceptions import MemcacheError

        begun, failure, key = time.monotonic(), "", self.key_of(filepath)
        for _ in range(self._servers.tries):
            try:
                value: bytes | None = self._servers.find_client(key).get(key)
                return value
            except (OSError, MemcacheError) as error:
                failure = str(error) or type(error).__name__
        raise ConnectionError(
            f"{to_text(filepath)}: {self._servers.tries} tries in "
            f"{time.monotonic() - begun:.1f} s at the memcached of {self.server_list_cfg} "
            f"failed: {failure}"
        )


class MemcachedCache:
    """A cache of small values in memcached, which is optional: a failed server is skipped.

    Args:
        server_list_cfg: As for :class:`MemcachedBackend`.
        client_cfg: As for :class:`MemcachedBackend`; None for defaults.
    """

    LARGEST = 1_000_000  # the default limit of memcached is 1 MiB with key and flags

    def __init__(self, server_list_cfg: PathLike, client_cfg: PathLike | None) -> None:
        settings = None if client_cfg is None else to_text(client_cfg)
        self._servers = _Servers(to_text(server_list_cfg), settings)
        self._down_until = 0.0

    def get(self, name: str) -> bytes | None:
        """Return the cached value of a name, or None."""
        value: bytes | None = self._ask("get", name) if self._is_up() else None
        return value

    def set(self, name: str, value: bytes) -> None:
        """Cache a value, unless it is too large."""
        if len(value) <= self.LARGEST and self._is_up():
            self._ask("set", name, value)

    def forget(self, name: str) -> None:
        """Remove the cached value of a name."""
        self._ask("delete", name, noreply=False)

    def _is_up(self) -> bool:
        return time.monotonic() >= self._down_until

    def _ask(self, call: str, name: str, *values: bytes, **settings: bool) -> Any:
        from pymemcache.exceptions import MemcacheError

        key = hashlib.sha256(name.encode()).hexdigest()
        try:
            return getattr(self._servers.find_client(key), call)(key, *values, **settings)
        except (OSError, MemcacheError) as error:
            self._down_until = time.monotonic() + _PAUSE_S
            warnings.warn(f"memcached failed, continuing without it: {error}", stacklevel=4)
            return None


class _Servers:
    """The servers, of which each key has one by the same hash as ``HashClient`` of pymemcache.

    ``HashClient`` reports a missing value after a failure of a server, and then uses another one:
    files would seem missing while their server is down.
    """

    def __init__(self, server_list_cfg: str, client_cfg: str | None) -> None:
        try:
            from pymemcache.client.rendezvous import RendezvousHash
        except ImportError as error:
            raise ImportError("memcached requires: pip install eng-fileio[memcached]") from error
        self._settings = _read_settings(client_cfg)
        self.tries = 1 + self._settings.pop("retry_attempts", 2)
        self._places: dict[str, tuple[str, int]] = {}
        for place, line in _read_lines(server_list_cfg):
            match = re.fullmatch(r"(\S+?)[:\s]+(\d+)", line)
            if match is None:
                raise ValueError(f"{place}: expected host:port, but got {line!r}")
            server = (match[1].strip("[]"), int(match[2]))
            self._places[f"{server[0]}:{server[1]}"] = server
        if not self._places:
            raise ValueError(f"{server_list_cfg} has no servers")
        self._hash = RendezvousHash(list(self._places))
        self._clients: tuple[int, dict[str, PooledClient]] = (0, {})

    def find_client(self, key: str) -> PooledClient:
        """Return the client of the server of a key."""
        pid, clients = self._clients
        if pid != os.getpid():  # Connections must not be shared with a forked process.
            from pymemcache.client.base import PooledClient

            clients = {n: PooledClient(s, **self._settings) for n, s in self._places.items()}
            self._clients = (os.getpid(), clients)
        return clients[self._hash.get_node(key)]


def _read_settings(client_cfg: str | None) -> Settings:
    settings: Settings = {"timeout": 10.0, "connect_timeout": 10.0}
    for place, line in _read_lines(client_cfg) if client_cfg is not None else ():
        name, separator, value = (part.strip() for part in line.partition("="))
        if not separator:
            raise ValueError(f"{place}: expected name = value, but got {line!r}")
        if name in _NUMBERS:
            try:
                settings[name] = _NUMBERS[name](float(value))
            except ValueError:
                raise ValueError(f"{place}: {name} must be a number, but got {value!r}") from None
    return settings


def _read_lines(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        texts = [line.partition("#")[0].strip() for line in file]
    return [
        (f"{path}, line {number}", text)
        for number, text in enumerate(texts, 1)
        if text and not (text.startswith("[") and text.endswith("]"))  # the heading of a section
    ]
