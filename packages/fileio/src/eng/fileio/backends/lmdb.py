# Paths are text here: pathlib would change URIs, and costs in hot calls.
# ruff: noqa: PTH110, PTH113
"""Values in an LMDB database."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from eng.fileio.paths import PathLike, to_text

from .base import BaseStorageBackend


class LmdbBackend(BaseStorageBackend):
    """Lmdb storage backend; needs ``pip install eng-fileio[lmdb]``.

    Each process opens the database for itself, so that a backend may be forked or pickled.

    Args:
        db_path: Lmdb database path, a folder or a file.
        readonly: Disallow any write. Defaults to True.
        lock: Lock the database on concurrent access. Defaults to False.
        readahead: Let the system read ahead. Defaults to False.
        **kwargs: For ``lmdb.open``.
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
        self._opened: tuple[int, Any] = (0, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": (0, None)}

    def get(self, filepath: PathLike) -> bytes:
        """Return the value of a key.

        Raises:
            FileNotFoundError: If the database or the key does not exist.
        """
        with self.get_view(filepath) as view:
            return bytes(view)

    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Return the value of a key as text."""
        with self.get_view(filepath) as view:
            return str(view, encoding)

    @contextlib.contextmanager
    def get_view(self, filepath: PathLike) -> Iterator[memoryview]:
        """Yield the value of a key in the memory map, uncopied, for the ``with`` block."""
        key = to_text(filepath)
        with self._environment().begin(buffers=True) as transaction:
            value = transaction.get(key.encode())
            if value is None:
                raise FileNotFoundError(2, f"no such key in {self.db_path}", key)
            yield memoryview(value)

    def exists(self, filepath: PathLike) -> bool:
        """Check whether a key exists."""
        with self._environment().begin(buffers=True) as transaction:
            return transaction.get(to_text(filepath).encode()) is not None

    isfile = exists

    def _environment(self) -> Any:
        pid, environment = self._opened
        if pid != os.getpid():
            try:
                import lmdb
            except ImportError as error:
                raise ImportError("LmdbBackend needs: pip install eng-fileio[lmdb]") from error
            if self._settings["readonly"] and not os.path.exists(self.db_path):
                raise FileNotFoundError(2, "no such lmdb database", self.db_path)
            environment = lmdb.open(self.db_path, **self._settings)
            self._opened = (os.getpid(), environment)
        return environment
