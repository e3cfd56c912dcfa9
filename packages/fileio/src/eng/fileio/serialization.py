"""Load and dump objects in JSON, YAML, pickle and registered formats."""

import io
from typing import Any

from .backends.base import BaseStorageBackend
from .backends.registry import BackendArgs, get_file_backend, merged_backend_args
from .handlers import get_handler
from .types import FileData, OpenFile
from .uris import PathLike, parse_uri_prefix, to_text
from .yaml_types import is_yaml_error

__all__ = ["dump", "find_backend", "load"]


def load(
    file: PathLike | OpenFile,
    file_format: str | None = None,
    file_client_args: BackendArgs = None,
    backend_args: BackendArgs = None,
    **kwargs: Any,
) -> FileData:
    """Load data from a json, yaml or pickle file.

    Only pickle can run code from the file: it is used if ``file_format`` or the extension says so,
    never by content. Do not load files whose names come from an untrusted source.

    Args:
        file: Path or file-like object.
        file_format: "json", "yaml", "yml", "pickle", "pkl" or a registered format. Defaults to
            None: the extension of the file.
        file_client_args: Older name of ``backend_args``. Defaults to None.
        backend_args: Arguments of the backend. Defaults to None.
        **kwargs: Passed to the handler of the format.

    Raises:
        TypeError: If the format is unknown, or ``file`` is neither a path nor a file.
        ValueError: If both ``file_client_args`` and ``backend_args`` are set, or the content
            cannot be parsed; the message has the file. Invalid JSON is a
            ``json.JSONDecodeError``, invalid YAML also a ``yaml.YAMLError``.
    """
    backend_args = merged_backend_args("load", file_client_args, backend_args)
    backend = find_backend(file, backend_args)
    handler = get_handler(_find_format(file, file_format))
    if backend is None:
        if not hasattr(file, "read"):
            raise TypeError(f"file must be a path or a file object, but got {type(file).__name__}")
        return handler.load_from_fileobj(file, **kwargs)
    try:
        if handler.str_like:
            # A byte order mark is not part of the text.
            with io.StringIO(backend.get_text(file).removeprefix("\ufeff")) as text:
                return handler.load_from_fileobj(text, **kwargs)
        with io.BytesIO(backend.get(file)) as data:
            return handler.load_from_fileobj(data, **kwargs)
    except ValueError as error:
        raise _name_file(error, to_text(file)) from error


def _name_file(error: ValueError, file: str) -> ValueError:
    """Return the same error with the file in its message, of a class that callers may catch."""
    from json import JSONDecodeError

    if isinstance(error, JSONDecodeError):
        return JSONDecodeError(f"{file}: {error.msg}", error.doc, error.pos)
    if is_yaml_error(error):
        return type(error)(f"{file}: {error}")
    return ValueError(f"{file}: {error}")


def dump(
    obj: FileData,
    file: PathLike | OpenFile | None = None,
    file_format: str | None = None,
    file_client_args: BackendArgs = None,
    backend_args: BackendArgs = None,
    **kwargs: Any,
) -> Any:
    """Dump data to json, yaml or pickle strings or files.

    Args:
        obj: Object to dump.
        file: Path or file-like object; None returns the text, or bytes for pickle.
        file_format: As in :func:`load`; required if ``file`` is None.
        file_client_args: Older name of ``backend_args``. Defaults to None.
        backend_args: Arguments of the backend. Defaults to None.
        **kwargs: Passed to the handler of the format.

    Returns:
        True after writing to a file; the text or bytes if ``file`` is None.

    Raises:
        TypeError: If the format is unknown.
        ValueError: If neither ``file`` nor ``file_format`` is set.
    """
    if file is None and file_format is None:
        raise ValueError("file_format is required if file is None")
    handler = get_handler(_find_format(file, file_format))
    if file is None:
        return handler.dump_to_str(obj, **kwargs)
    backend_args = merged_backend_args("dump", file_client_args, backend_args)
    backend = find_backend(file, backend_args)
    if backend is None:
        if not hasattr(file, "write"):
            raise TypeError(f"file must be a path or a file object, but got {type(file).__name__}")
        handler.dump_to_fileobj(obj, file, **kwargs)
        return True
    # Serialized before the file is opened: an object that cannot be dumped leaves it unchanged.
    content = io.StringIO() if handler.str_like else io.BytesIO()
    handler.dump_to_fileobj(obj, content, **kwargs)
    if isinstance(content, io.StringIO):
        backend.put_text(content.getvalue(), file)
    else:
        backend.put(content.getvalue(), file)
    return True


def find_backend(file: object, backend_args: BackendArgs) -> BaseStorageBackend | None:
    """Return the backend of a path, or None for a file object."""
    if not (isinstance(file, str) or hasattr(file, "__fspath__")):
        return None
    return get_file_backend(file, backend_args=backend_args, enable_singleton=True)


def _find_format(file: object, file_format: str | None) -> str:
    if file_format is not None:
        return file_format
    name = file if isinstance(file, str) or hasattr(file, "__fspath__") else None
    if name is None:
        name = getattr(file, "name", None)
        if not isinstance(name, str):
            raise ValueError("file_format is required for a file object without a name")
    text = to_text(name)
    if parse_uri_prefix(text) in ("http", "https"):
        text = text.partition("#")[0].partition("?")[0]
    base = text.rstrip("/").rpartition("/")[2]
    _, dot, extension = base.rpartition(".")
    if not dot:
        raise ValueError(f"cannot infer the format of {text!r} from its extension; set file_format")
    return extension
