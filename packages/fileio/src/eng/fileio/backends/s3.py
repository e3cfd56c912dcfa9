# Paths are text here: pathlib would change URIs, and costs in hot calls.
"""Objects in S3 and in stores that speak its protocol."""

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
    """S3 storage backend; needs ``pip install eng-fileio[s3]``.

    ``cluster:s3://bucket/key`` takes endpoint, region and credentials of the profile ``cluster``
    in the ordinary AWS configuration files; without a cluster, the settings given here and the
    default ones. ``petrel://`` is the same as ``s3://``.

    Args:
        path_mapping: ``{'src': 'dst'}`` replaces ``src`` in a path by ``dst``: the longest one
            that the path begins with; in a local path, else the first one that it contains.
            Defaults to None.
        enable_mc: Keep small objects in memcached, where ``server_list_cfg`` names servers, and
            read them from there. Only for objects that are never replaced by somebody else: what
            this backend writes is renewed there, what others write is not. Defaults to True.
        timeout: Seconds without an answer. Defaults to 30.
        retries: Further tries after a failure. Defaults to 4.
        server_list_cfg: As for :class:`MemcachedBackend`. Defaults to None: no memcached.
        client_cfg: As for :class:`MemcachedBackend`. Defaults to None.
        **client_settings: For ``boto3``'s ``client``, such as ``endpoint_url``.
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
        # connections are of this process: another one makes its own
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
        """Read the bytes of an object; a large one in parallel parts, held once in memory.

        Raises:
            FileNotFoundError: If there is no such object or bucket.
            IsADirectoryError: If there are objects below the path, but none at it.
            PermissionError: If access is denied or there are no credentials.
            ConnectionError: If no try succeeded, or the body broke off each time; tells the
                tries and the time.
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

        An upload that breaks leaves the old object. Where it is killed, its parts stay in the
        store unseen, until the next large write to the same key, a day later or more.

        Args:
            obj: ``bytes``, ``bytearray``, ``memoryview`` or a binary file, which is streamed.
            filepath: Path of the object.
            if_absent: Raise ``FileExistsError`` where the object exists, also when another
                process makes it meanwhile. Defaults to False.
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
        """Check whether there are objects below a path."""
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
        """Delete all below a directory, folder markers included, 1,000 objects a request.

        Raises:
            FileNotFoundError: If there is no such directory.
            NotADirectoryError: If it is a file.
            PartialFailureError: Lists what could not be deleted; the rest is.
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
        """Make a URL that works for ``expires_in`` seconds without credentials.

        Raises:
            ValueError: If ``client_method`` is neither 'get_object' nor 'put_object'.
        """
        if client_method not in ("get_object", "put_object"):
            raise ValueError(
                f"client_method is 'get_object' or 'put_object', not {client_method!r}"
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
            raise IsADirectoryError(21, "names a directory, a file was expected", place.path)
        return place

    def _receive(self, place: _Place, sink: Sink) -> None:
        with self._translate_errors(place.path, may_be_folder=True):
            download(place.client, place.request, sink, place.path, self.retries)

    @override
    def _copy(self, src: str, dst: str) -> None:
        place, target = self._parse(src), self._parse(dst)
        if target.client is not place.client:  # no cluster can read another one
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
        """Return the pages of a directory's listing, fetched when they are asked for."""
        if not self.isdir(place.path):
            self._raise_no_folder(place.path)
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
                f"{path!r} is no [cluster:]s3://bucket/key or petrel:// path, and none of "
                f"path_mapping {list(self.path_mapping)} makes it one"
            )
        if ".." in match["key"].split("/"):
            raise ValueError(f"{path!r} climbs with '..'; a key has to stay below its root")
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
    """The S3 backend, which ``s3://`` leads to.

    It derives from the class of the older name, since code asks ``isinstance(…, PetrelBackend)`` of
    what ``s3://`` gives.
    """


class _Place(NamedTuple):
    """Where a path leads; ``path`` is as it was given."""

    client: S3Client
    bucket: str
    key: str
    path: str

    @property
    def request(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def prefix(self) -> str:
        """What the keys below this one begin with."""
        return f"{self.key.rstrip('/')}/" if self.key else ""

    @property
    def name(self) -> str:
        """The same for each way to spell the path, and for no other object of any cluster."""
        return f"{self.client.meta.endpoint_url}/{self.bucket}/{self.key}"


def _list_names(
    pages: Iterator[S3Answer],
    skip: int,
    list_dir: bool,
    list_file: bool,
    suffix: Suffix,
    recursive: bool,
) -> Iterator[tuple[str, bool]]:
    """Names below a prefix, each with whether it is that of a file."""
    last: list[str] = []  # keys come sorted: a folder is new when it differs from the last
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
