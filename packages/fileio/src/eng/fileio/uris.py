# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH117
"""Parse, join and check paths and URIs."""

import os
import re
from typing import Union

from .errors import ArgumentTypeError

__all__ = ["PathLike", "check_relative", "join_uri", "parse_uri_prefix", "to_text"]

PathLike = Union[str, "os.PathLike[str]"]

_COLLAPSED = re.compile(r"^((?:[\w.-]+:)?[A-Za-z][A-Za-z0-9+.-]+):/(?!/)")


def to_text(path: PathLike) -> str:
    """Convert a path or URI to a string.

    ``pathlib.Path('s3://bucket/key')`` drops one of the two slashes; it is restored, so that a
    ``Path`` works like a ``str``.

    Raises:
        TypeError: If ``path`` is neither ``str`` nor ``os.PathLike`` of ``str``.
    """
    if isinstance(path, str):
        return path
    try:
        text = os.fspath(path)
    except TypeError:
        raise ArgumentTypeError(f"a path must be str or Path, got {type(path).__name__}") from None
    if not isinstance(text, str):
        raise ArgumentTypeError(f"a path must be str or Path, got one of {type(text).__name__}")
    # a URI of a local file has an empty host: file:///a
    return _COLLAPSED.sub(lambda m: f"{m[1]}:{'///' if m[1] == 'file' else '//'}", text, count=1)


def parse_uri_prefix(uri: PathLike) -> str:
    """Return the prefix of a URI, without a cluster name; ``''`` for a local path.

    Example:
        >>> parse_uri_prefix("s3://bucket/key"), parse_uri_prefix("cluster:s3://bucket/key")
        ('s3', 's3')
    """
    text = uri if isinstance(uri, str) else to_text(uri)
    head, separator, _ = text.partition("://")
    if not separator or "/" in head:  # "/data/a://b" is a local path
        return ""
    return head.rpartition(":")[2]


def join_uri(base: PathLike, *parts: PathLike) -> str:
    """Join parts to a URI with single slashes, also parts that start with ``/``."""
    text = to_text(base)
    for part in parts:
        piece = to_text(part).lstrip("/")
        text = f"{text}{piece}" if text.endswith("/") else f"{text}/{piece}"
    return text


def check_relative(name: str, root: str) -> str:
    """Return ``name`` if it is below ``root``.

    Raises:
        ValueError: If ``name`` is absolute or escapes from ``root`` with ``..``.
    """
    depth = 0
    for part in re.split(r"[/\\]" if os.sep == "\\" else "/", name):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            break
    if depth < 0 or os.path.isabs(name):
        raise ValueError(f"{name!r} is outside of {root!r}; a key must stay below its root")
    return name
