"""File functions, which call the backend of their path."""

import contextlib
from collections.abc import Iterable, Iterator

from .backends.base import BaseStorageBackend, Suffix
from .backends.registry import BackendArgs, get_file_backend
from .parallel import gather
from .types import BytesSource
from .uris import PathLike, parse_uri_prefix, to_text

__all__ = [
    "copy_if_symlink_fails",
    "copyfile",
    "copyfile_from_local",
    "copyfile_to_local",
    "copytree",
    "copytree_from_local",
    "copytree_to_local",
    "exists",
    "generate_presigned_url",
    "get",
    "get_local_path",
    "get_many",
    "get_text",
    "isdir",
    "isfile",
    "join_path",
    "list_dir_or_file",
    "put",
    "put_text",
    "remove",
    "rmtree",
]


def get(filepath: PathLike, backend_args: BackendArgs = None) -> bytes:
    """Read bytes from a given ``filepath`` with 'rb' mode.

    Args:
        filepath: Path to read data.
        backend_args: Arguments of the backend. Defaults to None.
    """
    return _choose_backend(filepath, backend_args).get(filepath)


def get_many(
    filepaths: Iterable[PathLike], backend_args: BackendArgs = None, max_workers: int = 32
) -> list[bytes]:
    """Read many files at once.

    Args:
        filepaths: Paths, which may be of different backends.
        backend_args: Arguments of the backend. Defaults to None.
        max_workers: Number of concurrent reads. Defaults to 32.

    Returns:
        Contents, in the order of ``filepaths``.

    Raises:
        PartialFailureError: Lists the paths that could not be read.
    """
    return gather(lambda path: get(path, backend_args), filepaths, "read", max_workers)


def get_text(filepath: PathLike, encoding: str = "utf-8", backend_args: BackendArgs = None) -> str:
    """Read text from a given ``filepath``.

    Args:
        filepath: Path to read data.
        encoding: Encoding of the file. Defaults to 'utf-8'.
        backend_args: Arguments of the backend. Defaults to None.
    """
    return _choose_backend(filepath, backend_args).get_text(filepath, encoding)


def put(
    obj: BytesSource,
    filepath: PathLike,
    backend_args: BackendArgs = None,
    *,
    if_absent: bool = False,
) -> None:
    """Write bytes to a given ``filepath``, creating its directory if it is missing.

    The write is atomic if the store supports it: a reader sees the old content or the new.

    Args:
        obj: ``bytes``, ``bytearray``, ``memoryview`` or a binary file, which is streamed.
        filepath: Path to write data.
        backend_args: Arguments of the backend. Defaults to None.
        if_absent: Raise ``FileExistsError`` if the file exists, or ``NotImplementedError`` if the
            store cannot guarantee it. Defaults to False.
    """
    backend = _choose_backend(filepath, backend_args)
    if if_absent:
        backend.put(obj, filepath, if_absent=True)
    else:  # backends of other packages may not have the keyword
        backend.put(obj, filepath)


def put_text(
    obj: str, filepath: PathLike, backend_args: BackendArgs = None, encoding: str = "utf-8"
) -> None:
    """Write text to a given ``filepath``, creating its directory if it is missing.

    Args:
        obj: Text to write.
        filepath: Path to write data.
        backend_args: Arguments of the backend. Defaults to None.
        encoding: Encoding of the file. Defaults to 'utf-8'.
    """
    _choose_backend(filepath, backend_args).put_text(obj, filepath, encoding)


def exists(filepath: PathLike, backend_args: BackendArgs = None) -> bool:
    """Check whether a file path exists."""
    return _choose_backend(filepath, backend_args).exists(filepath)


def isdir(filepath: PathLike, backend_args: BackendArgs = None) -> bool:
    """Check whether a file path is a directory."""
    return _choose_backend(filepath, backend_args).isdir(filepath)


def isfile(filepath: PathLike, backend_args: BackendArgs = None) -> bool:
    """Check whether a file path is a file."""
    return _choose_backend(filepath, backend_args).isfile(filepath)


def join_path(filepath: PathLike, *filepaths: PathLike, backend_args: BackendArgs = None) -> str:
    """Join path components by the rules of the backend of the first one."""
    return _choose_backend(filepath, backend_args).join_path(filepath, *filepaths)


@contextlib.contextmanager
def get_local_path(filepath: PathLike, backend_args: BackendArgs = None) -> Iterator[str]:
    """Yield a local path, as a string, with the content of ``filepath``.

    A local path is yielded itself. A remote file is downloaded to a temporary copy, which is
    removed at the end of the ``with`` block.
    """
    with _choose_backend(filepath, backend_args).get_local_path(filepath) as path:
        yield str(path)  # backends of other packages may return a Path


def copyfile(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Copy a file within one store; into ``dst`` if it is a directory.

    Returns:
        The destination as passed, or the file in it if it is a directory.

    Raises:
        shutil.SameFileError: If ``src`` and ``dst`` are the same file.
        ValueError: If their prefixes differ.
    """
    return _choose_one_backend(src, dst, backend_args).copyfile(src, dst)


def copytree(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Copy a directory within one store to ``dst``, which must not exist.

    Returns:
        The destination as passed.

    Raises:
        FileExistsError: If ``dst`` exists.
        ValueError: If their prefixes differ.
    """
    return _choose_one_backend(src, dst, backend_args).copytree(src, dst)


def copyfile_from_local(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Upload a local file; into ``dst`` if it is a directory.

    Returns:
        The destination as passed, or the file in it if it is a directory.
    """
    return _choose_backend(dst, backend_args).copyfile_from_local(src, dst)


def copytree_from_local(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Upload a local directory to ``dst``, which must not exist.

    Returns:
        The destination as passed.
    """
    return _choose_backend(dst, backend_args).copytree_from_local(src, dst)


def copyfile_to_local(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Download a file; into the local ``dst`` if it is a directory.

    Returns:
        The destination as passed, or the file in it if it is a directory.
    """
    return _choose_backend(src, backend_args).copyfile_to_local(src, dst)


def copytree_to_local(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> PathLike:
    """Download a directory to the local ``dst``, which must not exist.

    Returns:
        The destination as passed.
    """
    return _choose_backend(src, backend_args).copytree_to_local(src, dst)


def remove(filepath: PathLike, backend_args: BackendArgs = None) -> None:
    """Remove a file.

    Raises:
        FileNotFoundError: If ``filepath`` does not exist.
        IsADirectoryError: If ``filepath`` is a directory.
    """
    _choose_backend(filepath, backend_args).remove(filepath)


def rmtree(dir_path: PathLike, backend_args: BackendArgs = None) -> None:
    """Recursively delete a directory tree."""
    _choose_backend(dir_path, backend_args).rmtree(dir_path)


def copy_if_symlink_fails(src: PathLike, dst: PathLike, backend_args: BackendArgs = None) -> bool:
    """Create a symbolic link ``dst`` to ``src``, or copy it if that fails.

    Returns:
        True for a link, False for a copy.
    """
    return _choose_backend(src, backend_args).copy_if_symlink_fails(src, dst)


def list_dir_or_file(
    dir_path: PathLike,
    list_dir: bool = True,
    list_file: bool = True,
    suffix: Suffix = None,
    recursive: bool = False,
    backend_args: BackendArgs = None,
) -> Iterator[str]:
    """Scan a directory lazily, in arbitrary order, without hidden files.

    Args:
        dir_path: Path of the directory.
        list_dir: List the directories. Defaults to True.
        list_file: List the files. Defaults to True.
        suffix: Only list files with this suffix, and no directories. Defaults to None.
        recursive: Descend into directories. Defaults to False.
        backend_args: Arguments of the backend. Defaults to None.

    Returns:
        An iterator of paths relative to ``dir_path``.
    """
    backend = _choose_backend(dir_path, backend_args)
    return backend.list_dir_or_file(dir_path, list_dir, list_file, suffix, recursive)


def generate_presigned_url(
    url: PathLike,
    client_method: str = "get_object",
    expires_in: int = 3600,
    backend_args: BackendArgs = None,
) -> str:
    """Create a URL of an S3 object that works for some time without credentials.

    Args:
        url: Path of the object.
        client_method: 'get_object' or 'put_object'. Defaults to 'get_object'.
        expires_in: Validity in seconds. Defaults to 3600.
        backend_args: Arguments of the backend. Defaults to None.
    """
    backend = _choose_backend(url, backend_args)
    return backend.generate_presigned_url(url, client_method, expires_in)


def _choose_backend(path: PathLike, backend_args: BackendArgs) -> BaseStorageBackend:
    return get_file_backend(path, backend_args=backend_args, enable_singleton=True)


def _choose_one_backend(
    src: PathLike, dst: PathLike, backend_args: BackendArgs
) -> BaseStorageBackend:
    prefixes = {parse_uri_prefix(path) or "file" for path in (src, dst)}
    if len(prefixes) > 1:
        raise ValueError(
            f"{to_text(src)!r} and {to_text(dst)!r} have different prefixes; "
            "copyfile_from_local, copyfile_to_local and their tree forms copy between stores"
        )
    return _choose_backend(src, backend_args)
