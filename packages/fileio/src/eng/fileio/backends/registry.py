"""Register backends, and find the backend and settings of a name or prefix."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar, overload

from ..errors import ArgumentTypeError, ArgumentValueError, BackendExistsError
from ..types import Settings
from ..uris import PathLike, parse_uri_prefix, to_text
from .advertised import find_advertised, list_advertised, load_advertised
from .base import BaseStorageBackend

__all__ = [
    "BackendArgs",
    "backend_name",
    "get_backend_class",
    "get_file_backend",
    "merged_backend_args",
    "register_backend",
]

#: Settings of a backend, with its name under ``backend``; None for those of the path.
BackendArgs: TypeAlias = "Settings | None"

Backend = TypeVar("Backend", bound="type[BaseStorageBackend]")

#: Environment variable with default settings by prefix, a JSON object such as
#: ``{"s3": {"endpoint_url": "http://localhost:9000"}}``.
DEFAULTS_VARIABLE = "ENG_FILEIO_DEFAULTS"

# Built-in backends are imported when they are first used, since some are slow to import.
_backends: dict[str, str | type[BaseStorageBackend]] = {
    "local": "local:LocalBackend",
    "disk": "local:HardDiskBackend",
    "hard_disk": "local:HardDiskBackend",
    "http": "http:HTTPBackend",
    "lmdb": "lmdb:LmdbBackend",
    "s3": "s3:S3Backend",
    "petrel": "s3:PetrelBackend",
    "memcached": "memcached:MemcachedBackend",
    "fsspec": "fsspec:FsspecBackend",
}
_prefixes: dict[str, str] = {
    "": "local",
    "file": "local",
    "http": "http",
    "https": "http",
    "s3": "s3",
    "petrel": "petrel",
}
_instances: dict[str, BaseStorageBackend] = {}


@overload
def register_backend(
    name: str,
    backend: None = None,
    force: bool = False,
    prefixes: str | list[str] | tuple[str, ...] | None = None,
) -> Callable[[Backend], Backend]: ...


@overload
def register_backend(
    name: str,
    backend: Backend,
    force: bool = False,
    prefixes: str | list[str] | tuple[str, ...] | None = None,
) -> Backend: ...


def register_backend(
    name: str,
    backend: Backend | None = None,
    force: bool = False,
    prefixes: str | list[str] | tuple[str, ...] | None = None,
) -> Backend | Callable[[Backend], Backend]:
    """Register a backend, by a call or as a decorator.

    Args:
        name: Name of the backend, as in ``backend_args=dict(backend=name)``.
        backend: Subclass of :class:`BaseStorageBackend`; None for use as a decorator.
        force: Replace a backend of the same name or prefix. Defaults to False.
        prefixes: Prefixes of URIs of the backend. Defaults to None.

    Raises:
        TypeError: If ``name``, ``backend`` or ``prefixes`` has the wrong type.
        ValueError: If the name or a prefix is already registered and ``force`` is False; also a
            KeyError.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"the backend name must be a string, but got {type(name).__name__}")
    if prefixes is None:
        wanted: list[str] = []
    elif isinstance(prefixes, (str, list, tuple)):
        wanted = [prefixes] if isinstance(prefixes, str) else list(prefixes)
    else:
        raise ArgumentTypeError(
            f"prefixes must be str, list or tuple, but got {type(prefixes).__name__}"
        )

    def register(cls: Backend) -> Backend:
        if not isinstance(cls, type) or not issubclass(cls, BaseStorageBackend):
            raise ArgumentTypeError(f"backend {cls!r} is not a subclass of BaseStorageBackend")
        if name in _backends and not force:
            raise BackendExistsError(
                f"{name!r} is already registered as a storage backend; use force=True to replace it"
            )
        for prefix in wanted:
            if prefix in _prefixes and not force:
                raise BackendExistsError(
                    f"prefix {prefix!r} is already registered for backend {_prefixes[prefix]!r}; "
                    "use force=True to replace it"
                )
        _backends[name] = cls
        _prefixes.update(dict.fromkeys(wanted, name))
        _instances.clear()
        get_backend_class.cache_clear()
        return cls

    return register if backend is None else register(backend)


@functools.cache
def get_backend_class(name: str) -> type[BaseStorageBackend]:
    """Return the backend class of a name: registered, or advertised by an installed package.

    Raises:
        ValueError: If the name is unknown; the message lists the known names, and the closest.
        ImportError: If an advertised backend cannot be imported.
        TypeError: If an advertised backend is not a backend.
    """
    entry = _backends.get(name)
    if entry is None:
        point = find_advertised(name)
        if point is None:
            known = {*_backends, *list_advertised()}
            raise ValueError(
                f"unknown storage backend {name!r}; known backends: {_join(known)}"
                f"{_suggest(name, known)}"
            )
        return load_advertised(point)
    if isinstance(entry, str):
        module, _, cls = entry.partition(":")
        entry = getattr(importlib.import_module(f".{module}", __package__), cls)
    assert isinstance(entry, type)
    return entry


def backend_name(prefix: str) -> str:
    """Return the name of the backend that serves a prefix.

    Raises:
        ValueError: If neither a backend nor fsspec knows the prefix; lists the known ones, and
            the closest.
    """
    name = _prefixes.get(prefix)
    if name is not None:
        return name
    if prefix in list_advertised():
        return prefix
    from fsspec.registry import available_protocols

    protocols = available_protocols()
    if prefix in protocols:
        return "fsspec"
    if find_advertised(prefix) is not None:
        return prefix
    ours = {*_prefixes, *list_advertised()} - {""}
    raise ValueError(
        f"unknown prefix {prefix + '://'!r}; registered prefixes: "
        f"{_join(each + '://' for each in ours)}; protocols of fsspec: {_join(protocols)}"
        f"{_suggest(prefix, {*ours, *protocols})}"
    )


def get_file_backend(
    uri: PathLike | None = None,
    *,
    backend_args: BackendArgs = None,
    enable_singleton: bool = False,
) -> BaseStorageBackend:
    """Return a file backend based on the prefix of ``uri`` or on ``backend_args``.

    Settings come from ``backend_args``, which take precedence, and from the environment variable
    ``ENG_FILEIO_DEFAULTS``: a JSON object of settings by prefix (``file`` for paths without one) or
    by name of a backend. ``backend`` in them selects another backend for the prefix.

    Args:
        uri: URI with the prefix. Defaults to None.
        backend_args: Arguments of the backend; the name in ``backend`` takes precedence over the
            prefix of ``uri``. Defaults to None.
        enable_singleton: Return the same object for the same arguments. Defaults to False.

    Raises:
        ValueError: If neither ``uri`` nor the name of a backend is set, or it is unknown.
    """
    settings = dict(backend_args) if backend_args else {}
    name = settings.pop("backend", None)
    if name is None and uri is None:
        raise ValueError("uri is required if backend_args has no 'backend'")
    text = os.environ.get(DEFAULTS_VARIABLE)
    if text:
        name, settings = _merge_defaults(text, name, settings, uri)
    elif name is None:
        name = backend_name(parse_uri_prefix(uri))  # type: ignore[arg-type]
    if not enable_singleton:
        return _create(name, settings, uri)
    key = f"{name}:{sorted(settings.items(), key=lambda item: item[0])!r}" if settings else name
    instance = _instances.get(key)
    if instance is None:
        instance = _instances.setdefault(key, _create(name, settings, uri))
    return instance


def merged_backend_args(
    owner: str, file_client_args: BackendArgs, backend_args: BackendArgs
) -> BackendArgs:
    """Merge the two arguments that set a storage backend.

    ``file_client_args``, the older one, has arguments of :class:`eng.fileio.FileClient`:
    ``backend`` or ``prefix``, and the arguments of the backend.

    To be called by functions with both arguments: the warning is attributed to their caller.

    Args:
        owner: Name of the calling function, for messages.
        file_client_args: Settings in the older argument.
        backend_args: Settings in the current argument.

    Raises:
        ValueError: If both are set, or the prefix is unknown.
    """
    if file_client_args is None:
        return backend_args
    warnings.warn(
        f"{owner}: file_client_args is deprecated, use backend_args",
        DeprecationWarning,
        stacklevel=3,
    )
    if backend_args is not None:
        raise ArgumentValueError(
            f"{owner}: file_client_args and backend_args cannot be set together, at the same time; "
            "use backend_args, not both"
        )
    settings = dict(file_client_args)
    prefix = settings.pop("prefix", None)
    if settings.get("backend") is None and prefix is not None:
        settings["backend"] = backend_name(prefix)
    return settings


def _merge_defaults(
    text: str, name: str | None, settings: Settings, uri: PathLike | None
) -> tuple[str, Settings]:
    """Merge the settings of a call into those of the environment.

    The latter are looked up by the prefix of the path if it leads to the requested backend, and by
    the name of the backend otherwise.
    """
    table = _parse_defaults(text)
    prefix = "" if uri is None else parse_uri_prefix(uri)
    found = table.get(prefix or "file", {}) if uri is not None else {}
    served = found.get("backend") or (backend_name(prefix) if uri is not None else None)
    if name is None:
        name = served
    elif served is None or not _is_same_store(name, served):
        found = table.get(name, {})
    assert name is not None
    return name, {**{k: v for k, v in found.items() if k != "backend"}, **settings}


def _is_same_store(name: str, other: str) -> bool:
    """Return whether two names are of the same store, such as ``petrel`` and ``s3``."""
    classes = get_backend_class(name), get_backend_class(other)
    return issubclass(*classes) or issubclass(*reversed(classes))


def _create(name: str, settings: Settings, uri: PathLike | None) -> BaseStorageBackend:
    cls = get_backend_class(name)
    try:
        return cls(**settings)
    except TypeError as error:
        place = f" for {to_text(uri)!r}" if uri is not None else ""
        # without the values, which may be secret
        raise TypeError(
            f"invalid arguments {list(settings)} of backend {name!r}{place}: {error}"
        ) from error


@functools.lru_cache(maxsize=8)
def _parse_defaults(text: str) -> dict[str, Settings]:
    import json

    try:
        defaults = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{DEFAULTS_VARIABLE} is invalid JSON: {error}") from error
    if not isinstance(defaults, dict) or not all(isinstance(v, dict) for v in defaults.values()):
        raise ValueError(
            f"{DEFAULTS_VARIABLE} must map prefixes to objects of settings, such as "
            '{"s3": {"endpoint_url": "http://localhost:9000"}}'
        )
    return defaults


def _join(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about a name, with the closest known names, if any."""
    import difflib

    near = difflib.get_close_matches(name, known)
    return f"; closest: {', '.join(near)}" if near else ""
