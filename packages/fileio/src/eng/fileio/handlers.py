"""File formats: serialize objects to text or bytes, and parse them."""

import functools
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from .override import override
from .types import FileData, OpenFile
from .uris import PathLike
from .yaml_types import YamlClass, make_safe_dumper, make_safe_loader, make_yaml_error

__all__ = [
    "BaseFileHandler",
    "JsonHandler",
    "PickleHandler",
    "YamlHandler",
    "file_handlers",
    "get_handler",
    "register_handler",
    "set_default",
]

_Handler = TypeVar("_Handler", bound="type[BaseFileHandler]")


class BaseFileHandler(metaclass=ABCMeta):
    """Reads and writes one file format.

    Attributes:
        str_like (bool): Whether the format is text, instead of bytes.
    """

    str_like = True

    @abstractmethod
    def load_from_fileobj(self, file: OpenFile, **kwargs: Any) -> FileData:
        """Read an object from an open file."""

    @abstractmethod
    def dump_to_fileobj(self, obj: FileData, file: OpenFile, **kwargs: Any) -> None:
        """Write an object to an open file."""

    @abstractmethod
    def dump_to_str(self, obj: FileData, **kwargs: Any) -> str | bytes:
        """Return an object as text, or as bytes if ``str_like`` is False."""

    def load_from_path(self, filepath: PathLike, mode: str = "r", **kwargs: Any) -> FileData:
        """Read an object from a local file."""
        # A byte order mark is not part of the text.
        encoding = None if "b" in mode else "utf-8-sig"
        with open(filepath, mode, encoding=encoding) as file:  # noqa: PTH123
            return self.load_from_fileobj(file, **kwargs)

    def dump_to_path(
        self, obj: FileData, filepath: PathLike, mode: str = "w", **kwargs: Any
    ) -> None:
        """Write an object to a local file."""
        with open(filepath, mode, encoding=None if "b" in mode else "utf-8") as file:  # noqa: PTH123
            self.dump_to_fileobj(obj, file, **kwargs)


class JsonHandler(BaseFileHandler):
    """JSON; sets, ranges and arrays are written as lists, array scalars as numbers."""

    @override
    def load_from_fileobj(self, file: OpenFile, **kwargs: Any) -> FileData:
        """Read an object from an open file."""
        import json

        text = file.read()
        return json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text, **kwargs)

    @override
    def dump_to_fileobj(self, obj: FileData, file: OpenFile, **kwargs: Any) -> None:
        """Write an object to an open text file."""
        file.write(self.dump_to_str(obj, **kwargs))

    @override
    def dump_to_str(self, obj: FileData, **kwargs: Any) -> str:
        """Return an object as JSON text."""
        import json

        kwargs.setdefault("default", set_default)
        return json.dumps(obj, **kwargs)


class YamlHandler(BaseFileHandler):
    """YAML, always with the safe loader: reading runs no code and creates plain data only.

    Floats follow YAML 1.2, such as ``1e-3``; everything else follows YAML 1.1: ``yes``, ``no``,
    ``on`` and ``off`` are booleans. Arrays and array scalars are written as lists and numbers;
    ranges, sets and mappings of any class as plain ones.
    """

    @staticmethod
    def loader() -> YamlClass:
        """Return the loader of files, a subclass of ``SafeLoader`` of PyYAML."""
        return make_safe_loader()

    @staticmethod
    def dumper() -> YamlClass:
        """Return the dumper of files."""
        return _make_yaml_dumper()

    @override
    def load_from_fileobj(self, file: OpenFile, **kwargs: Any) -> FileData:
        """Read an object from an open file.

        Raises:
            ValueError: If the file is invalid, also a ``yaml.YAMLError`` then, or ``Loader``
                could run code.
        """
        import yaml

        safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        loader = kwargs.pop("Loader", None) or self.loader()
        if not issubclass(loader, (safe, yaml.SafeLoader, yaml.BaseLoader)):
            raise ValueError(f"{loader.__name__} can run code from a file; use a safe loader")
        try:
            return yaml.load(file, Loader=loader, **kwargs)
        except yaml.YAMLError as error:
            raise make_yaml_error()(f"invalid YAML for a safe loader: {error}") from error

    @override
    def dump_to_fileobj(self, obj: FileData, file: OpenFile, **kwargs: Any) -> None:
        """Write an object to an open text file."""
        file.write(self.dump_to_str(obj, **kwargs))

    @override
    def dump_to_str(self, obj: FileData, **kwargs: Any) -> str:
        """Return an object as YAML text."""
        import yaml

        kwargs.setdefault("Dumper", self.dumper())
        text: str = yaml.dump(obj, **kwargs)
        return text


class PickleHandler(BaseFileHandler):
    """Pickle. Loading a file runs the code in it: only load files that you trust."""

    str_like = False

    @override
    def load_from_fileobj(self, file: OpenFile, **kwargs: Any) -> FileData:
        """Read an object from an open binary file."""
        import pickle

        return pickle.load(file, **kwargs)

    @override
    def load_from_path(self, filepath: PathLike, mode: str = "rb", **kwargs: Any) -> FileData:
        """Read an object from a local file."""
        return super().load_from_path(filepath, mode, **kwargs)

    @override
    def dump_to_fileobj(self, obj: FileData, file: OpenFile, **kwargs: Any) -> None:
        """Write an object to an open binary file."""
        import pickle

        pickle.dump(obj, file, **kwargs)

    @override
    def dump_to_path(
        self, obj: FileData, filepath: PathLike, mode: str = "wb", **kwargs: Any
    ) -> None:
        """Write an object to a local file."""
        super().dump_to_path(obj, filepath, mode, **kwargs)

    @override
    def dump_to_str(self, obj: FileData, **kwargs: Any) -> bytes:
        """Return an object as bytes."""
        import pickle

        return pickle.dumps(obj, **kwargs)


#: Handlers by file format, which is the extension of a file.
file_handlers: dict[str, BaseFileHandler] = {
    "json": JsonHandler(),
    "yaml": YamlHandler(),
    "yml": YamlHandler(),
    "pickle": PickleHandler(),
    "pkl": PickleHandler(),
}


def register_handler(
    file_formats: str | Iterable[str], **kwargs: Any
) -> Callable[[_Handler], _Handler]:
    """Register a handler class for file formats, as a decorator.

    Args:
        file_formats: One or more formats, such as ``'txt'`` or ``['txt', 'log']``.
        **kwargs: Arguments of the constructor of the handler.

    Raises:
        TypeError: If a format is not a string, or the class is not a subclass of
            :class:`BaseFileHandler`.
    """
    formats = [file_formats] if isinstance(file_formats, str) else list(file_formats)
    if not all(isinstance(f, str) for f in formats):
        raise TypeError(f"file_formats must be str or a list of str, but got {file_formats!r}")

    def register(cls: _Handler) -> _Handler:
        if not isinstance(cls, type) or not issubclass(cls, BaseFileHandler):
            raise TypeError(f"handler {cls!r} is not a subclass of BaseFileHandler")
        handler = cls(**kwargs)
        file_handlers.update(dict.fromkeys(formats, handler))
        return cls

    return register


def get_handler(file_format: str) -> BaseFileHandler:
    """Return the handler of a format.

    Raises:
        TypeError: If the format is unknown; the message lists the known ones.
    """
    handler = file_handlers.get(file_format) or file_handlers.get(file_format.lower())
    if handler is None:
        raise TypeError(
            f"unsupported file format {file_format!r}; known formats: "
            f"{', '.join(sorted(file_handlers))}"
        )
    return handler


@functools.cache
def _make_yaml_dumper() -> YamlClass:
    """Return the safe dumper, extended to write values that can be converted to plain data."""

    class PlainDumper(make_safe_dumper()):  # type: ignore[misc]
        def represent_converted(self, value: object) -> object:
            plain = _convert_to_plain(value)
            if plain is value:
                return self.represent_undefined(value)  # raises
            return self.represent_data(plain)

    PlainDumper.add_representer(None, PlainDumper.represent_converted)
    return PlainDumper


def _convert_to_plain(value: FileData) -> FileData:
    """Convert a value to plain data if possible; its items are not converted."""
    if hasattr(value, "tolist"):  # arrays, array scalars and tensors
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple, range)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return set(value)
    if isinstance(value, str):
        return str.__str__(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def set_default(value: FileData) -> FileData:
    """Convert a value to JSON types, as ``default`` of :func:`json.dumps`.

    Args:
        value: A set, range, array, numpy number or tensor.

    Raises:
        TypeError: If the value has another type.
    """
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    if hasattr(value, "tolist"):  # arrays, array scalars and tensors
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
