"""Which backend serves a name or a prefix, and with which settings."""

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

#: Names the environment variable with default settings per prefix, a JSON object such as
#: ``{"s3": {"endpoint_url": "http://localhost:9000"}}``.
DEFAULTS_VARIABLE = "ENG_FILEIO_DEFAULTS"

# A backend of ours is imported when it is first used: some of them are heavy.
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
        name: The name of the backend, as used in ``backend_args=dict(backend=name)``.
        backend: A subclass of :class:`BaseStorageBackend`; None when used as a decorator.
        force: Replace a backend of the same name or prefix. Defaults to False.
        prefixes: Prefixes of URIs that go to the backend. Defaults to None.

    Raises:
        TypeError: If ``name``, ``backend`` or ``prefixes`` is of a wrong type.
        ValueError: If the name or a prefix is taken and ``force`` is False; a KeyError as well.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"the backend name should be a string, not {type(name).__name__}")
    if prefixes is None:
        wanted: list[str] = []
    elif isinstance(prefixes, (str, list, tuple)):
        wanted = [prefixes] if isinstance(prefixes, str) else list(prefixes)
    else:
        raise ArgumentTypeError(
            f"prefixes should be str, list or tuple, not {type(prefixes).__name__}"
        )

    def register(cls: Backend) -> Backend:
        if not isinstance(cls, type) or not issubclass(cls, BaseStorageBackend):
            raise ArgumentTypeError(f"backend {cls!r} is not a subclass of BaseStorageBackend")
        if name in _backends and not force:
            raise BackendExistsError(
                f"{name!r} is already registered as a storage backend; see force=True"
            )
        for prefix in wanted:
            if prefix in _prefixes and not force:
                raise BackendExistsError(
                    f"prefix {prefix!r} already belongs to backend {_prefixes[prefix]!r}; "
                    "see force=True"
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
        ValueError: If there is none; lists the known ones, and the closest.
        ImportError: If an advertised one cannot be imported.
        TypeError: If an advertised one is not a backend.
    """
    entry = _backends.get(name)
    if entry is None:
        point = find_advertised(name)
        if point is None:
            known = {*_backends, *list_advertised()}
            raise ValueError(
                f"no storage backend {name!r}; known are {_join(known)}{_suggest(name, known)}"
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
        f"no storage backend for the prefix {prefix + '://'!r}; registered are "
        f"{_join(each + '://' for each in ours)}, and by fsspec {_join(protocols)}"
        f"{_suggest(prefix, {*ours, *protocols})}"
    )


def get_file_backend(
    uri: PathLike | None = None,
    *,
    backend_args: BackendArgs = None,
    enable_singleton: bool = False,
) -> BaseStorageBackend:
    """Return a file backend based on the prefix of ``uri`` or on ``backend_args``.

    Settings come from ``backend_args`` and, below them, from the environment variable
    ``ENG_FILEIO_DEFAULTS``: a JSON object of settings per prefix, ``file`` for paths without one,
    or per name of a backend that a call asks for. ``backend`` among them names another backend for
    the prefix.

    Args:
        uri: Uri that contains the prefix. Defaults to None.
        backend_args: Arguments of the backend; ``backend`` in it names one, which goes before the
            prefix of ``uri``. Defaults to None.
        enable_singleton: Return the same object for the same arguments. Defaults to False.

    Raises:
        ValueError: If there is neither a ``uri`` nor a backend name, or an unknown one.
    """
    settings = dict(backend_args) if backend_args else {}
    name = settings.pop("backend", None)
    if name is None and uri is None:
        raise ValueError("uri is needed where backend_args does not name a 'backend'")
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
    """Return the settings of a storage, which are given under either of their names.

    Those under the older name are arguments of :class:`eng.fileio.FileClient`: ``backend``, or
    ``prefix`` to choose it by, and the arguments of the backend.

    To be called by what takes both as its arguments: the warning points at its caller.

    Args:
        owner: Whose arguments they are, for the messages.
        file_client_args: The settings under their older name.
        backend_args: The settings under their present name.

    Raises:
        ValueError: If both are given, or the prefix is unknown.
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
            "give backend_args, not both"
        )
    settings = dict(file_client_args)
    prefix = settings.pop("prefix", None)
    if settings.get("backend") is None and prefix is not None:
        settings["backend"] = backend_name(prefix)
    return settings


def _merge_defaults(
    text: str, name: str | None, settings: Settings, uri: PathLike | None
) -> tuple[str, Settings]:
    """Put the environment's settings below those of a call.

    They are looked up under the prefix of the path, where that leads to the backend in question,
    and otherwise under the name of the backend.
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
    """Whether two names are of one store, such as ``petrel`` and ``s3``."""
    classes = get_backend_class(name), get_backend_class(other)
    return issubclass(*classes) or issubclass(*reversed(classes))


def _create(name: str, settings: Settings, uri: PathLike | None) -> BaseStorageBackend:
    cls = get_backend_class(name)
    try:
        return cls(**settings)
    except TypeError as error:
        place = f" for {to_text(uri)!r}" if uri is not None else ""
        # no values: there are secrets among them
        raise TypeError(
            f"backend {name!r}{place} does not take {list(settings)}: {error}"
        ) from error


@functools.lru_cache(maxsize=8)
def _parse_defaults(text: str) -> dict[str, Settings]:
    import json

    try:
        defaults = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{DEFAULTS_VARIABLE} is not JSON: {error}") from error
    if not isinstance(defaults, dict) or not all(isinstance(v, dict) for v in defaults.values()):
        raise ValueError(
            f"{DEFAULTS_VARIABLE} should map prefixes to objects of settings, such as "
            '{"s3": {"endpoint_url": "http://localhost:9000"}}'
        )
    return defaults


def _join(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about a name: the known names that are closest to it, if any."""
    import difflib

    near = difflib.get_close_matches(name, known)
    return f"; closest: {', '.join(near)}" if near else ""
