# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
"""Read and write objects in S3 and compatible stores."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from ..atomic import atomic_write
from ..override import override
from ..parallel import Failure, PartialFailureError, for_each
from ..types import BytesSource, Settings
from ..uris import PathLike, join_uri, to_text
from .base import Suffix, check_suffix, is_hidden
from .remote import RemoteBackend
from .s3_client import S3Clients, translate_errors
from .s3_transfer import (
    FileSink,
    MemorySink,
    S3Answer,
    S3Client,
    Sink,
    download,
    upload,
    upload_file,
)

__all__ = ["PetrelBackend", "S3Backend"]

_URI = re.compile(
    r"^(?:(?P<cluster>[^/:]+):)?(?:s3|petrel)://(?P<bucket>[^/]+)/?(?P<key>.*)$", re.S
)
_BATCH = 1000  # keys that one DeleteObjects request takes


class PetrelBackend(RemoteBackend):
    """S3 storage backend; requires ``pip install eng-fileio[s3]``.

    ``cluster:s3://bucket/key`` uses endpoint, region and credentials of the profile ``cluster`` in
    the AWS configuration files; without a cluster, the settings of the backend and the defaults
    are used. ``petrel://`` is the same as ``s3://``.

    Args:
        path_mapping: ``{'src': 'dst'}`` replaces ``src`` in a path by ``dst``: the longest prefix
            of the path or, in a local path, the first one that it contains. Defaults to None.
        enable_mc: Cache small objects in the memcached servers of ``server_list_cfg``. Only for
            objects that no one else replaces: writes of this backend update the cache, those of
            others do not. Defaults to True.
        timeout: Seconds without a response. Defaults to 30.
        retries: Number of retries after a failure. Defaults to 4.
        server_list_cfg: As for :class:`MemcachedBackend`. Defaults to None: no memcached.
        client_cfg: As for :class:`MemcachedBackend`. Defaults to None.
        **client_settings: Passed to ``client`` of ``boto3``, such as ``endpoint_url``.
    """

    def __init__(
        self,
        path_mapping: dict[str, str] | None = None,
        enable_mc: bool = True,
        *,
        timeout: float = 30,
        retries: int = 4,
        server_list_cfg: PathLike | None = None,
        client_cfg: PathLike | None = None,
        **client_settings: Any,
    ) -> None:
        self.path_mapping, self.enable_mc = dict(path_mapping or {}), enable_mc
        self.timeout, self.retries, self.client_settings = timeout, retries, client_settings
        self.server_list_cfg, self.client_cfg = server_list_cfg, client_cfg
        self._cache = None
        if enable_mc and server_list_cfg is not None:
            from .memcached import MemcachedCache

            self._cache = MemcachedCache(server_list_cfg, client_cfg)
        self._clients = S3Clients(timeout, retries, client_settings)

    @override
    def __reduce__(self) -> tuple[object, ...]:
        # Connections belong to this process: another one creates its own.
        settings = {
            "path_mapping": self.path_mapping,
            "enable_mc": self.enable_mc,
            "timeout": self.timeout,
            "retries": self.retries,
            "server_list_cfg": self.server_list_cfg,
            "client_cfg": self.client_cfg,
        }
        return _rebuild, (type(self), {**settings, **self.client_settings})

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Read the bytes of an object; a large one in parallel parts, with one copy in memory.

        Raises:
            FileNotFoundError: If the object or bucket does not exist.
            IsADirectoryError: If the path is a prefix of objects, but not an object.
            PermissionError: If access is denied or credentials are missing.
            ConnectionError: If all tries failed; the message has their number and the time.
        """
        place = self._parse(filepath)
        data = None if self._cache is None else self._cache.get(place.name)
        if data is None:
            sink = MemorySink()
            self._receive(place, sink)
            data = sink.getvalue()
            if self._cache is not None:
                self._cache.set(place.name, data)
        return data

    @override
    def put(self, obj: BytesSource, filepath: PathLike, *, if_absent: bool = False) -> None:
        """Store bytes or a binary file; a large one in parallel parts, a few in memory at a time.

        A failed upload leaves the old object. The invisible parts of a killed upload are removed by
        the next large write to the same key, after at least a day.

        Args:
            obj: ``bytes``, ``bytearray``, ``memoryview`` or a binary file, which is streamed.
            filepath: Path of the object.
            if_absent: Raise ``FileExistsError`` if the object exists, also if another process
                creates it at the same time. Defaults to False.
        """
        place = self._parse_file(filepath, if_absent)
        with self._translate_errors(place.path):
            upload(place.client, place.request, obj, place.path)
        self._forget(place)

    @override
    def isfile(self, filepath: PathLike) -> bool:
        """Check whether an object exists."""
        place = self._parse(filepath)
        if not place.key or place.key.endswith("/"):
            return False
        try:
            with self._translate_errors(place.path):
                place.client.head_object(**place.request)
        except FileNotFoundError:
            return False
        return True

    @override
    def isdir(self, filepath: PathLike) -> bool:
        """Check whether a path is a prefix of objects."""
        place = self._parse(filepath)
        try:
            with self._translate_errors(place.path):
                found = place.client.list_objects_v2(
                    Bucket=place.bucket, Prefix=place.prefix, MaxKeys=1
                )
        except FileNotFoundError:
            return False
        return not place.prefix or found["KeyCount"] > 0

    @override
    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """List a prefix page by page; see :meth:`LocalBackend.list_dir_or_file`."""
        check_suffix(suffix)
        place = self._parse(dir_path)
        pages = self._list_pages(place, recursive)
        list_dir = list_dir and suffix is None
        names = _list_names(pages, len(place.prefix), list_dir, list_file, suffix, recursive)
        return (name for name, is_file in names if not (is_file and is_hidden(name)))

    @override
    def _list_names(self, root: str) -> Iterator[str]:
        place = self._parse(root)
        pages = self._list_pages(place, recursive=True)
        names = _list_names(pages, len(place.prefix), False, True, None, recursive=True)
        return (name for name, _ in names)

    @override
    def rmtree(self, dir_path: PathLike) -> None:
        """Delete everything in a directory, markers included, with 1,000 objects per request.

        Raises:
            FileNotFoundError: If the directory does not exist.
            NotADirectoryError: If it is a file.
            PartialFailureError: Lists the files that were not deleted; the others are deleted.
        """
        place = self._parse(dir_path)
        action = f"remove {place.path}"
        pages = self._list_pages(place, recursive=True)
        keys = (entry["Key"] for page in pages for entry in page.get("Contents", ()))

        def path_of(key: str) -> str:
            return join_uri(place.path, key[len(place.prefix) :])

        def erase(batch: list[str]) -> None:
            wanted = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            failures: list[Failure]
            try:
                with self._translate_errors(place.path):
                    answer = place.client.delete_objects(Bucket=place.bucket, Delete=wanted)
            except OSError as error:
                failures = [(path_of(key), error) for key in batch]
            else:
                failures = [
                    (path_of(error["Key"]), OSError(f"{error['Code']}: {error['Message']}"))
                    for error in answer.get("Errors", ())
                ]
            for key in batch:
                self._forget(place._replace(key=key))
            if failures:
                raise PartialFailureError(action, failures, len(batch))

        batches = iter(lambda: list(islice(keys, _BATCH)), [])
        for_each(erase, batches, action, 4)

    @override
    def generate_presigned_url(
        self, url: PathLike, client_method: str = "get_object", expires_in: int = 3600
    ) -> str:
        """Create a URL that works for ``expires_in`` seconds without credentials.

        Raises:
            ValueError: If ``client_method`` is neither 'get_object' nor 'put_object'.
        """
        if client_method not in ("get_object", "put_object"):
            raise ValueError(
                f"client_method must be 'get_object' or 'put_object', but got {client_method!r}"
            )
        place = self._parse(url)
        signed: str = place.client.generate_presigned_url(
            client_method, Params=place.request, ExpiresIn=expires_in
        )
        return signed

    @override
    def _download(self, filepath: str, local: str) -> None:
        with atomic_write(local) as file:
            self._receive(self._parse(filepath), FileSink(file))

    @override
    def _upload(self, local: str, path: str) -> None:
        place = self._parse_file(path)
        with self._translate_errors(place.path):
            upload_file(place.client, place.request, local, place.path)
        self._forget(place)

    def _parse_file(self, filepath: PathLike, if_absent: bool = False) -> _Place:
        place = self._parse(filepath, if_absent)
        if not place.key or place.key.endswith("/"):
            raise IsADirectoryError(21, "is a directory, a file was expected", place.path)
        return place

    def _receive(self, place: _Place, sink: Sink) -> None:
        with self._translate_errors(place.path, may_be_folder=True):
            download(place.client, place.request, sink, place.path, self.retries)

    @override
    def _copy(self, src: str, dst: str) -> None:
        place, target = self._parse(src), self._parse(dst)
        if target.client is not place.client:  # clusters cannot read each other
            with self.get_local_path(src) as local:
                self._upload(str(local), dst)
            return
        with self._translate_errors(place.path, may_be_folder=True):
            place.client.copy(place.request, target.bucket, target.key)
        self._forget(target)

    @override
    def _delete(self, path: str) -> None:
        place = self._parse(path)
        with self._translate_errors(path):
            place.client.delete_object(**place.request)
        self._forget(place)

    def _forget(self, place: _Place) -> None:
        if self._cache is not None:
            self._cache.forget(place.name)

    def _list_pages(self, place: _Place, recursive: bool) -> Iterator[S3Answer]:
        """Return the pages of the listing of a directory, fetched when they are read."""
        if not self.isdir(place.path):
            self._raise_missing_directory(place.path)
        delimiter = {} if recursive else {"Delimiter": "/"}

        def pages() -> Iterator[S3Answer]:
            with self._translate_errors(place.path):
                paginator = place.client.get_paginator("list_objects_v2")
                yield from paginator.paginate(Bucket=place.bucket, Prefix=place.prefix, **delimiter)

        return pages()

    def _parse(self, filepath: PathLike, if_absent: bool = False) -> _Place:
        path = to_text(filepath)
        match = _URI.match(self._map_path(path))
        if match is None:
            raise ValueError(
                f"{path!r} is not a [cluster:]s3://bucket/key or petrel:// path, and path_mapping "
                f"{list(self.path_mapping)} does not apply"
            )
        if ".." in match["key"].split("/"):
            raise ValueError(f"invalid '..' in {path!r}; a key must stay below its root")
        client = self._clients.get(match["cluster"], if_absent)
        return _Place(client, match["bucket"], match["key"], path)

    def _map_path(self, path: str) -> str:
        heads = [source for source in self.path_mapping if path.startswith(source)]
        if heads:
            source = max(heads, key=len)
            return self.path_mapping[source] + path[len(source) :]
        if "://" not in path:
            for source, target in self.path_mapping.items():
                if source in path:
                    return path.replace(source, target, 1)
        return path

    @contextlib.contextmanager
    def _translate_errors(self, path: str, may_be_folder: bool = False) -> Iterator[None]:
        try:
            with translate_errors(path, self.retries):
                yield
        except FileNotFoundError as error:
            if may_be_folder and self.isdir(path):
                raise IsADirectoryError(21, "is a directory, a file was expected", path) from error
            raise


class S3Backend(PetrelBackend):
    """The S3 backend of ``s3://``.

    It is a subclass of the class with the older name, since existing code checks
    ``isinstance(…, PetrelBackend)``.
    """


class _Place(NamedTuple):
    """Client, bucket and key of a path; ``path`` is as passed."""

    client: S3Client
    bucket: str
    key: str
    path: str

    @property
    def request(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def prefix(self) -> str:
        """Prefix of the keys below this one."""
        return f"{self.key.rstrip('/')}/" if self.key else ""

    @property
    def name(self) -> str:
        """Unique name of the object, the same for all spellings of its path."""
        return f"{self.client.meta.endpoint_url}/{self.bucket}/{self.key}"


def _list_names(
    pages: Iterator[S3Answer],
    skip: int,
    list_dir: bool,
    list_file: bool,
    suffix: Suffix,
    recursive: bool,
) -> Iterator[tuple[str, bool]]:
    """Yield the names below a prefix, each with whether it is a file."""
    last: list[str] = []  # keys are sorted: a directory is new if it differs from the last
    for page in pages:
        if list_dir:
            for common in page.get("CommonPrefixes", ()):
                yield common["Prefix"][skip:-1], False
        for entry in page.get("Contents", ()):
            name = entry["Key"][skip:]
            folders = name.split("/")[:-1]
            if list_dir and recursive:
                for depth in range(1, len(folders) + 1):
                    if last[:depth] != folders[:depth]:
                        yield "/".join(folders[:depth]), False
                last = folders
            wanted = list_file and name and not name.endswith("/")
            if wanted and (suffix is None or name.endswith(suffix)):
                yield name, True


def _rebuild(cls: type[PetrelBackend], settings: Settings) -> PetrelBackend:
    return cls(**settings)
