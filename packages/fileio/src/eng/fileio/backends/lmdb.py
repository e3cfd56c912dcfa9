# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH110, PTH113, PTH118
"""Read values of an LMDB database."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..override import override
from ..types import Settings
from ..uris import PathLike, to_text
from .base import BaseStorageBackend

if TYPE_CHECKING:
    from lmdb import Environment

__all__ = ["LmdbBackend"]


class LmdbBackend(BaseStorageBackend):
    """LMDB storage backend; requires ``pip install eng-fileio[lmdb]``.

    Each process opens the database once for all backends with the same settings, so that backends
    may be forked or pickled, and share a database.

    Args:
        db_path: Path of the LMDB database, a directory or a file.
        readonly: Disallow any write. Defaults to True.
        lock: Lock the database on concurrent access. Defaults to False.
        readahead: Enable readahead of the system. Defaults to False.
        **kwargs: Passed to ``lmdb.open``.
    """

    def __init__(
        self,
        db_path: PathLike,
        readonly: bool = True,
        lock: bool = False,
        readahead: bool = False,
        **kwargs: Any,
    ) -> None:
        self.db_path = to_text(db_path)
        self._settings = {"readonly": readonly, "lock": lock, "readahead": readahead, **kwargs}
        self._settings.setdefault("subdir", not os.path.isfile(self.db_path))
        self._opened: tuple[int, Environment | None] = (0, None)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": (0, None)}

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Return the value of a key.

        Raises:
            FileNotFoundError: If the database or the key does not exist.
        """
        with self.get_view(filepath) as view:
            return bytes(view)

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Return the value of a key as text."""
        with self.get_view(filepath) as view:
            return str(view, encoding)

    @contextlib.contextmanager
    def get_view(self, filepath: PathLike) -> Iterator[memoryview]:
        """Yield the value of a key in the memory map, without a copy."""
        with self._open_value(filepath) as value:
            if value is None:
                raise FileNotFoundError(2, f"no such key in {self.db_path}", to_text(filepath))
            yield memoryview(value)

    @override
    def exists(self, filepath: PathLike) -> bool:
        """Check whether a key exists."""
        with self._open_value(filepath) as value:
            return value is not None

    isfile = exists

    @contextlib.contextmanager
    def _open_value(self, filepath: PathLike) -> Iterator[memoryview | None]:
        key, environment = to_text(filepath).encode(), self._open_environment()
        with environment.begin(buffers=True) as transaction:
            # LMDB raises an error for keys of other lengths
            is_possible = 0 < len(key) <= environment.max_key_size()
            yield transaction.get(key) if is_possible else None

    def _open_environment(self) -> Environment:
        pid, environment = self._opened
        if environment is None or pid != os.getpid():
            environment = _open(self.db_path, self._settings)
            self._opened = (os.getpid(), environment)
        return environment


# lmdb raises an error if a database is opened twice in a process; a forked child inherits that of
# its parent.
_environments: weakref.WeakValueDictionary[tuple[int, str, str], Environment] = (
    weakref.WeakValueDictionary()
)
_lock = threading.Lock()


def _open(path: str, settings: Settings) -> Environment:
    try:
        import lmdb
    except ImportError as error:
        raise ImportError("LmdbBackend requires: pip install eng-fileio[lmdb]") from error
    file = os.path.join(path, "data.mdb") if settings["subdir"] else path
    if settings["readonly"] and not os.path.exists(file):
        raise FileNotFoundError(2, "LMDB database does not exist", path)
    pid = os.getpid()
    key = (pid, os.path.realpath(file), repr(sorted(settings.items())))
    with _lock:
        for other in [k for k in _environments if k[0] != pid]:
            _environments.pop(other).close()  # of the parent, which this process must not use
        environment = _environments.get(key)
        if environment is None:
            try:
                environment = _environments[key] = lmdb.open(path, **settings)
            except TypeError as error:
                raise TypeError(f"invalid settings of lmdb.open {settings}: {error}") from error
    return environment


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()  # another thread may hold it during the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
