# Paths are text here: pathlib would change URIs, and costs in hot calls.
"""Objects in S3 and in stores that speak its protocol."""

import contextlib
import io
import os
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from eng.fileio.atomic import atomic_write, binary_reader
from eng.fileio.parallel import for_each
from eng.fileio.paths import PathLike, to_text

from .base import Suffix
from .remote import RemoteBackend

_URI = re.compile(
    r"^(?:(?P<cluster>[^/:]+):)?(?:s3|petrel)://(?P<bucket>[^/]+)/?(?P<key>.*)$", re.S
)
_PART = 8 << 20


class S3Backend(RemoteBackend):
    """S3 storage backend; needs ``pip install eng-fileio[s3]``.

    ``cluster:s3://bucket/key`` takes endpoint and credentials of the profile ``cluster`` in the
    ordinary AWS configuration files; without a cluster, the default ones.

    Args:
        path_mapping: ``{'src': 'dst'}`` replaces ``src`` in a path by ``dst``. Defaults to None.
        enable_mc: Accepted for existing configs; no memcached stands between. Defaults to True.
        max_attempts: Tries of a request. Defaults to 5.
        **client_settings: For ``boto3``'s ``client``, such as ``endpoint_url``.
    """

    def __init__(
        self,
        path_mapping: dict[str, str] | None = None,
        enable_mc: bool = True,
        max_attempts: int = 5,
        **client_settings: Any,
    ) -> None:
        self.path_mapping, self.enable_mc = dict(path_mapping or {}), enable_mc
        self.max_attempts, self.client_settings = max_attempts, client_settings
        self._clients: dict[tuple[int, str | None], Any] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.path_mapping, self.enable_mc, self.max_attempts, self.client_settings)
        return _rebuild, (type(self), *arguments)

    def get(self, filepath: PathLike) -> bytes:
        """Read the bytes of an object; a large one in parallel parts, held once in memory."""
        client, bucket, key, path = self._parse(filepath)
        with self._errors(path):
            response = client.get_object(Bucket=bucket, Key=key)
            size, tag = response["ContentLength"], response["ETag"]
            with contextlib.closing(response["Body"]) as body:
                if size <= _PART:
                    data: bytes = body.read()
                    return data
            buffer = io.BytesIO()
            buffer.seek(size - 1)
            buffer.write(b"\0")
            with buffer.getbuffer() as view:

                def fetch(start: int) -> None:
                    stop = min(start + _PART, size)
                    part = client.get_object(
                        Bucket=bucket, Key=key, Range=f"bytes={start}-{stop - 1}", IfMatch=tag
                    )
                    with contextlib.closing(part["Body"]) as stream:
                        view[start:stop] = stream.read()

                for_each(fetch, range(0, size, _PART), f"read {path}", self.max_workers)
            return buffer.getvalue()

    def put(self, obj: Any, filepath: PathLike, *, if_absent: bool = False) -> None:
        """Store bytes or a binary file; a large one in parallel parts.

        An upload that breaks leaves the old object.

        Raises:
            FileExistsError: With ``if_absent``, if the object exists.
        """
        client, bucket, key, path = self._parse(filepath)
        if not key or key.endswith("/"):
            raise IsADirectoryError(21, "names a directory, a file was expected", path)
        extra = {"IfNoneMatch": "*"} if if_absent else {}
        if isinstance(obj, (bytes, bytearray, memoryview)):
            obj = io.BytesIO(obj)
        binary_reader(obj, path)
        with self._errors(path):
            head = obj.read(_PART)
            if len(head) < _PART:
                rest = obj.read(_PART) if head else b""
                while rest:
                    head, rest = head + rest, obj.read(_PART)
                client.put_object(Bucket=bucket, Key=key, Body=head, **extra)
                return
            self._put_parts(client, {"Bucket": bucket, "Key": key}, head, obj, extra)

    def _put_parts(
        self, client: Any, place: dict[str, str], head: bytes, rest: Any, extra: dict[str, str]
    ) -> None:
        upload = {**place, "UploadId": client.create_multipart_upload(**place)["UploadId"]}

        def parts() -> Iterator[tuple[int, bytes]]:
            number, chunk = 1, head
            while chunk:
                yield number, chunk
                number, chunk = number + 1, rest.read(_PART)

        def send(part: tuple[int, bytes]) -> dict[str, Any]:
            answer = client.upload_part(**upload, PartNumber=part[0], Body=part[1])
            return {"PartNumber": part[0], "ETag": answer["ETag"]}

        try:
            done = for_each(send, parts(), f"write {place['Key']}", 4)
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done}, **extra)
        except BaseException:
            client.abort_multipart_upload(**upload)
            raise

    def isfile(self, filepath: PathLike) -> bool:
        """Check whether an object exists."""
        client, bucket, key, path = self._parse(filepath)
        if not key or key.endswith("/"):
            return False
        try:
            with self._errors(path):
                client.head_object(Bucket=bucket, Key=key)
        except FileNotFoundError:
            return False
        return True

    def isdir(self, filepath: PathLike) -> bool:
        """Check whether there are objects below a path."""
        client, bucket, key, path = self._parse(filepath)
        prefix = f"{key.rstrip('/')}/" if key else ""
        try:
            with self._errors(path):
                found = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except FileNotFoundError:
            return False
        return not prefix or found["KeyCount"] > 0

    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """List a prefix page by page; see :meth:`LocalBackend.list_dir_or_file`."""
        client, bucket, key, path = self._parse(dir_path)
        if not self.isdir(dir_path):
            kind, code = (NotADirectoryError, 20) if self.isfile(path) else (FileNotFoundError, 2)
            raise kind(code, "no such directory", path)
        prefix = f"{key.rstrip('/')}/" if key else ""
        return self._list(
            client, bucket, prefix, list_dir and suffix is None, list_file, suffix, recursive
        )

    def _list(
        self,
        client: Any,
        bucket: str,
        prefix: str,
        list_dir: bool,
        list_file: bool,
        suffix: Suffix,
        recursive: bool,
    ) -> Iterator[str]:
        delimiter = {} if recursive else {"Delimiter": "/"}
        pages = client.get_paginator("list_objects_v2")
        last: list[str] = []  # keys come sorted: a folder is new when it differs from the last
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, **delimiter):
            if list_dir:
                for common in page.get("CommonPrefixes", ()):
                    yield common["Prefix"][len(prefix) : -1]
            for entry in page.get("Contents", ()):
                name = entry["Key"][len(prefix) :]
                folders = name.split("/")[:-1]
                if list_dir and recursive:
                    for depth in range(1, len(folders) + 1):
                        if last[:depth] != folders[:depth]:
                            yield "/".join(folders[:depth])
                    last = folders
                wanted = list_file and name and not name.endswith("/")
                if wanted and (suffix is None or name.endswith(suffix)):
                    yield name

    def rmtree(self, dir_path: PathLike) -> None:
        """Delete all below a directory, folder markers included, many objects at once."""
        client, bucket, key, path = self._parse(dir_path)
        if not self.isdir(path):
            kind, code = (NotADirectoryError, 20) if self.isfile(path) else (FileNotFoundError, 2)
            raise kind(code, "no such directory", path)
        prefix = f"{key.rstrip('/')}/" if key else ""
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = (entry["Key"] for page in pages for entry in page.get("Contents", ()))
        work = lambda name: client.delete_object(Bucket=bucket, Key=name)  # noqa: E731
        for_each(work, keys, f"remove {path}", self.max_workers)

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
        client, bucket, key, _ = self._parse(url)
        place = {"Bucket": bucket, "Key": key}
        signed: str = client.generate_presigned_url(
            client_method, Params=place, ExpiresIn=expires_in
        )
        return signed

    def _copy(self, src: str, dst: str) -> None:
        client, bucket, key, path = self._parse(src)
        _, to_bucket, to_key, _ = self._parse(dst)
        with self._errors(path):
            client.copy({"Bucket": bucket, "Key": key}, to_bucket, to_key)

    def _delete(self, path: str) -> None:
        client, bucket, key, _ = self._parse(path)
        with self._errors(path):
            client.delete_object(Bucket=bucket, Key=key)

    def _download(self, filepath: str, local: str) -> None:
        client, bucket, key, path = self._parse(filepath)
        with self._errors(path), atomic_write(local) as file:
            client.download_fileobj(bucket, key, file)

    def _parse(self, filepath: PathLike) -> tuple[Any, str, str, str]:
        path = to_text(filepath)
        for source, target in self.path_mapping.items():
            path = path.replace(source, target, 1)
        match = _URI.match(path)
        if match is None:
            raise ValueError(f"{path!r} is no [cluster:]s3://bucket/key or petrel:// path")
        if ".." in match["key"].split("/"):
            raise ValueError(f"{path!r} climbs with '..'; a key has to stay below its root")
        return self._client(match["cluster"]), match["bucket"], match["key"], path

    def _client(self, cluster: str | None) -> Any:
        place = (os.getpid(), cluster)  # connections must not be shared with a forked process
        with self._lock:
            if place not in self._clients:
                try:
                    import boto3
                    from botocore.config import Config
                except ImportError as error:
                    raise ImportError("s3:// paths need: pip install eng-fileio[s3]") from error
                retries = {"total_max_attempts": self.max_attempts, "mode": "standard"}
                config = Config(retries=retries, max_pool_connections=64)
                session = boto3.Session(profile_name=cluster)
                self._clients[place] = session.client("s3", config=config, **self.client_settings)
            return self._clients[place]

    @contextlib.contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        """Turn the errors of boto3 into the ones that files have."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        begun = time.monotonic()
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "NoSuchBucket", "404", "NotFound"):
                if code == "NoSuchKey" and self.isdir(path):
                    raise IsADirectoryError(21, "is a directory", path) from error
                raise FileNotFoundError(2, f"not found ({code})", path) from error
            if code in ("403", "AccessDenied"):
                raise PermissionError(13, "access denied", path) from error
            if code in ("412", "PreconditionFailed", "ConditionalRequestConflict"):
                raise FileExistsError(17, "already exists or changed meanwhile", path) from error
            raise OSError(f"{path}: {error}") from error
        except NoCredentialsError as error:
            raise PermissionError(13, f"no credentials ({error})", path) from error
        except BotoCoreError as error:
            seconds = time.monotonic() - begun
            raise ConnectionError(
                f"{path}: up to {self.max_attempts} tries in {seconds:.1f} s failed: {error}"
            ) from error


class PetrelBackend(S3Backend):
    """The older name of :class:`S3Backend`, for ``petrel://`` and ``s3://`` paths."""


def _rebuild(cls: type[S3Backend], mapping: Any, mc: bool, attempts: int, settings: Any) -> Any:
    return cls(mapping, mc, attempts, **settings)
