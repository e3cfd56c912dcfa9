"""Connect to S3, keep connections per process, and translate errors."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .s3_transfer import S3Client, prepare

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["S3Clients", "translate_errors"]

# Settings of the default cluster, which do not apply to others.
_OF_ONE_CLUSTER = (
    "endpoint_url",
    "region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
)
_MISSING = ("NoSuchKey", "NoSuchBucket", "404", "NotFound")
_PRESENT = ("412", "PreconditionFailed", "ConditionalRequestConflict")


class S3Clients:
    """The clients of a backend, connected when they are first used.

    Args:
        timeout: Seconds without a response.
        retries: Number of retries after a failure.
        settings: Passed to ``client`` of ``boto3``.
    """

    def __init__(self, timeout: float, retries: int, settings: Mapping[str, object]) -> None:
        self._timeout, self._retries, self._settings = timeout, retries, settings
        self._clients: dict[tuple[int, str | None, bool], S3Client] = {}
        self._lock = threading.Lock()

    def get(self, cluster: str | None, if_absent: bool) -> S3Client:
        """Return the client of this process for a cluster.

        Args:
            cluster: A profile of the AWS configuration files; None for the default settings.
            if_absent: Whether the client must not replace objects.

        Raises:
            ImportError: If boto3 is not installed.
            ValueError: If the profile does not exist.
        """
        # Connections must not be shared with a forked process.
        key = (os.getpid(), cluster, if_absent)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._connect(cluster)
                prepare(self._clients[key], if_absent)
            return self._clients[key]

    def _connect(self, cluster: str | None) -> S3Client:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import ProfileNotFound
        except ImportError as error:
            raise ImportError("s3:// paths require: pip install eng-fileio[s3]") from error
        settings = dict(self._settings)
        if cluster is not None:
            settings = {k: v for k, v in settings.items() if k not in _OF_ONE_CLUSTER}
        config = Config(
            retries={"total_max_attempts": self._retries + 1, "mode": "standard"},
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
            max_pool_connections=64,
        ).merge(settings.pop("config", None) or Config())
        try:
            session = boto3.Session(profile_name=cluster)
        except ProfileNotFound as error:
            known = ", ".join(boto3.Session().available_profiles) or "none"
            raise ValueError(
                f"cluster {cluster!r} is not a profile of the AWS configuration files; "
                f"known profiles: {known}"
            ) from error
        return session.client("s3", config=config, **settings)


@contextlib.contextmanager
def translate_errors(path: str, retries: int) -> Iterator[None]:
    """Translate errors of boto3 into those of local files.

    Args:
        path: Path that is read or written, for messages.
        retries: Number of retries of a request, for messages.

    Raises:
        FileNotFoundError: If the object or bucket does not exist.
        FileExistsError: If the object exists, but must not.
        PermissionError: If access is denied or credentials are missing.
        ValueError: If an argument is invalid.
        ConnectionError: If all tries failed; the message has the number of tries and the time.
        OSError: If anything else fails.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
    )

    begun = time.monotonic()
    try:
        yield
    except ClientError as error:
        raise _translate_answer(error, path, time.monotonic() - begun) from error
    except ParamValidationError as error:
        raise ValueError(f"{path}: {error}") from error
    except NoCredentialsError as error:
        raise PermissionError(13, f"missing credentials ({error})", path) from error
    except BotoCoreError as error:
        seconds = time.monotonic() - begun
        raise ConnectionError(
            f"{path}: up to {retries + 1} tries in {seconds:.1f} s failed: {error}"
        ) from error


def _translate_answer(error: ClientError, path: str, seconds: float) -> OSError:
    """Return the error for a response of the server that reports one."""
    code, metadata = error.response["Error"]["Code"], error.response["ResponseMetadata"]
    status = metadata["HTTPStatusCode"]
    if code in _MISSING:
        return FileNotFoundError(2, f"not found ({code})", path)
    if status in (401, 403):
        return PermissionError(13, f"access denied ({code})", path)
    if code in _PRESENT:
        return FileExistsError(17, "already exists", path)
    if status >= 500 or status == 429:
        tries = metadata.get("RetryAttempts", 0) + 1
        return ConnectionError(f"{path}: {tries} tries in {seconds:.1f} s failed: {error}")
    return OSError(f"{path}: {error}")
