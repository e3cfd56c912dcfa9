"""Loading files from the web, once for all processes."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch.hub import tqdm  # type: ignore[attr-defined] # the real one or torch's stand-in

from eng.utils import check_inner_path

__all__ = ["load_url"]

_HASH = re.compile(r"-([a-f0-9]{8,})\.")
_BLOCK = 1 << 20
# seconds without a byte after which a server counts as gone
_SILENCE = 60.0


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> dict[str, Any]:
    """Load what PyTorch saved at a URL, from the cache if it is there.

    Processes that share ``model_dir`` download once; a download that broke off goes on where it
    stopped, and the file gets its name when it is whole.

    Args:
        url: Where the file is.
        model_dir: Folder of the cache; ``checkpoints`` in ``torch.hub.get_dir()`` when None.
        map_location: See ``torch.load``.
        progress: Whether to show a progress bar on stderr.
        check_hash: Whether the sha256 of the file must begin with the hex digits that follow the
            last ``-`` of its name (at least eight).
        file_name: Name in the cache; that of the URL when None.
        weights_only: Whether anything but plain data and tensors is refused. False runs the code
            that the file brings: only for files of people whom you trust.

    Raises:
        ValueError: The name holds no hash and ``check_hash`` is set, or ``file_name`` leads out of
            the folder of the cache.
        RuntimeError: The download broke off, or the hash differs.
    """
    if file_name is not None:
        check_inner_path(file_name, "file_name")
    folder = Path(torch.hub.get_dir()) / "checkpoints" if model_dir is None else Path(model_dir)
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(urlparse(url).path).name
    path = folder / (file_name or name)
    digest = _HASH.search(name)
    if check_hash and digest is None:
        raise ValueError(f"check_hash needs a name such as model-<sha256>.pth, not {name!r}")
    if not path.exists():
        with _lock(path):
            if not path.exists():
                _download(url, path, digest[1] if check_hash and digest else "", progress)
    return _load(path, map_location, weights_only)


def _load(path: Path, map_location: Any, weights_only: bool) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            # PyTorch's own format is a zip too, with a data.pkl in it
            if not any(name.endswith("data.pkl") for name in names):
                if len(names) != 1:
                    raise RuntimeError(f"{path} should hold one file, it holds {names}")
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
                f"{url} has sha256 {found.hexdigest()}, its name says {digest}...: it is removed"
            )
    part.replace(path)


def _fetch(url: str, part: Path, progress: bool) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_SILENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise RuntimeError(f"{url} cannot be downloaded: {error}") from error
        # nothing is left to send, or the file has changed: begin anew to be sure
        part.unlink()
        return _fetch(url, part, progress)
    except (urllib.error.URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(f"{url} cannot be downloaded: {reason}") from error
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
                    f"the download of {url} broke off at {file.tell()} bytes: {error!r}; call "
                    "again to go on"
                ) from error
            file.flush()
            os.fsync(file.fileno())
    size = part.stat().st_size
    if total is not None and size != total:
        raise RuntimeError(
            f"the download of {url} broke off at {size} of {total} bytes; call again to go on"
        )
    return None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process at a time in; the system frees the lock of a process that ends."""
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
