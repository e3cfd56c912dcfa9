"""Download and load checkpoints from URLs, once for all processes."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlparse

import torch
from torch.hub import tqdm  # type: ignore[attr-defined] # the real one or a substitute

from eng.utils import StateDict, check_inner_path

if TYPE_CHECKING:
    from torch.types import Storage

__all__ = ["load_url"]

#: Device mapping of :func:`torch.load`.
MapLocation: TypeAlias = (
    "Callable[[Storage, str], Storage] | torch.device | str | dict[str, str] | None"
)

_HASH = re.compile(r"-([a-f0-9]{8,})\.")
_BLOCK = 1 << 20
# timeout in seconds for a server that sends no data
_SILENCE = 60.0


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: MapLocation = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> StateDict:
    """Load a checkpoint from a URL or from the cache.

    Processes that share ``model_dir`` download once. An interrupted download is resumed, and the
    file gets its final name when it is complete.

    Args:
        url: URL of the file.
        model_dir: Folder of the cache; ``checkpoints`` in ``torch.hub.get_dir()`` when None.
        map_location: See ``torch.load``.
        progress: Whether to show a progress bar on stderr.
        check_hash: Whether to verify that the sha256 of the file starts with the hex digits after
            the last ``-`` of its name (at least eight).
        file_name: Name in the cache; that of the URL when None.
        weights_only: Whether to accept only plain data and tensors. With False, loading the file
            can execute arbitrary code: only for trusted sources.

    Raises:
        ValueError: If ``check_hash`` is set and the name has no hash, or ``file_name`` is outside
            the folder of the cache.
        RuntimeError: If the download fails or is interrupted, or for a hash mismatch.
    """
    if file_name is not None:
        check_inner_path(file_name, "file_name")
    folder = Path(torch.hub.get_dir()) / "checkpoints" if model_dir is None else Path(model_dir)
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(urlparse(url).path).name
    path = folder / (file_name or name)
    digest = _HASH.search(name)
    if check_hash and digest is None:
        raise ValueError(f"check_hash requires a name such as model-<sha256>.pth, not {name!r}")
    if not path.exists():
        with _lock(path):
            if not path.exists():
                _download(url, path, digest[1] if check_hash and digest else "", progress)
    return _load(path, map_location, weights_only)


def _load(path: Path, map_location: MapLocation, weights_only: bool) -> StateDict:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            # files of torch.save are zip archives too, with a data.pkl
            if not any(name.endswith("data.pkl") for name in names):
                if len(names) != 1:
                    raise RuntimeError(f"{path} must contain one file, not {names}")
                with archive.open(names[0]) as member:
                    unpacked = path.with_name(f".{path.name}.{os.getpid()}.unpacked")
                    unpacked.write_bytes(member.read())
                try:
                    return torch.load(
                        unpacked, map_location=map_location, weights_only=weights_only
                    )
                finally:
                    unpacked.unlink()
    return torch.load(path, map_location=map_location, weights_only=weights_only)


def _download(url: str, path: Path, digest: str, progress: bool) -> None:
    part = path.with_name(path.name + ".part")
    _fetch(url, part, progress)
    if digest:
        with part.open("rb") as file:
            found = hashlib.sha256()
            while block := file.read(_BLOCK):
                found.update(block)
        if not found.hexdigest().startswith(digest):
            part.unlink()
            raise RuntimeError(
                f"hash mismatch: {url} has sha256 {found.hexdigest()}, its name has {digest}...; "
                "the file is removed"
            )
    part.replace(path)


def _fetch(url: str, part: Path, progress: bool) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_SILENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise RuntimeError(f"cannot download {url}: {error}") from error
        # complete already, or changed on the server: start from scratch
        part.unlink()
        return _fetch(url, part, progress)
    except (urllib.error.URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(f"cannot download {url}: {reason}") from error
    with response:
        resumed = getattr(response, "status", None) == 206
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, disable=not progress) as bar,
        ):
            try:
                while block := response.read(_BLOCK):
                    file.write(block)
                    bar.update(len(block))
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                raise RuntimeError(
                    f"download of {url} interrupted at {file.tell()} bytes: {error!r}; call again "
                    "to resume"
                ) from error
            # on disk before the rename, or a crash could leave a corrupt file with the final name
            file.flush()
            os.fsync(file.fileno())
    size = part.stat().st_size
    if total is not None and size != total:
        raise RuntimeError(
            f"download of {url} interrupted at {size} of {total} bytes; call again to resume"
        )
    return None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Lock a path for one process; the system releases the lock if the process exits."""
    lock = path.with_name(path.name + ".lock")
    with lock.open("w") as file:
        if os.name == "nt":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
                    break
                except OSError:
                    time.sleep(0.1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
