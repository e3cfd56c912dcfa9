"""Load a checkpoint in all processes of a run, whichever disks they see."""

from __future__ import annotations

import logging
import zlib
from typing import Any

from eng.dist import all_gather_object, broadcast_object_list, get_world_size, is_main_process
from eng.logging import print_log

from .errors import CheckpointError
from .loader import CheckpointLoader, Logger, parse_checkpoint, read_file

__all__ = ["load_shared_checkpoint"]

#: Bytes that are sent at once: a group of GPUs takes them through its memory.
_PART = 1 << 26


def load_shared_checkpoint(
    filename: str,
    map_location: Any = None,
    logger: Logger = None,
    backend_args: dict[str, Any] | None = None,
) -> Any:
    """Read the checkpoint of the first process in all of them. Called in all processes.

    Processes that have another file under the name, or none, as where each machine has a disk of
    its own, get that of the first one sent.

    Args:
        filename: Its path, address, or a name that has a loader, see :class:`CheckpointLoader`.
        map_location: As for :func:`torch.load`. Defaults to None.
        logger: Where the loading is noted. Defaults to None: it is printed.
        backend_args: Settings of the storage. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        FileNotFoundError: If the first process has no such file; in all processes.
        CheckpointError: If that is not a checkpoint, or a damaged one; in all processes.
    """
    if get_world_size() == 1 or CheckpointLoader.has_scheme(filename):
        return CheckpointLoader.load_checkpoint(
            filename, map_location, logger, backend_args=backend_args
        )
    print_log(f"Loads checkpoint from {filename}", logger=logger)
    data, error = _try_to_read(filename, backend_args)
    marks = all_gather_object((None if data is None else (len(data), zlib.crc32(data)), error))
    (first, fault), *_ = marks
    if first is None:
        raise fault or CheckpointError(f"{filename!r} cannot be read")
    others = [rank for rank, (mark, _) in enumerate(marks) if mark != first]
    if others:
        print_log(
            f"{filename} is sent to the processes {others}, which do not have it as the first one.",
            logger=logger,
            level=logging.WARNING,
        )
        data = _send(data)
    return parse_checkpoint(data or b"", filename, map_location)


def _try_to_read(
    filename: str, backend_args: dict[str, Any] | None
) -> tuple[bytes | None, Exception | None]:
    try:
        return read_file(filename, backend_args), None
    except FileNotFoundError as error:
        return None, FileNotFoundError(*error.args)  # without its causes, which may not pickle
    except Exception as error:  # the other processes wait
        return None, CheckpointError(f"{filename!r} cannot be read: {error}")


def _send(data: bytes | None) -> bytes:
    """The bytes of the first process, in all of them."""
    sizes = [len(data or b"")]
    broadcast_object_list(sizes)
    parts = []
    for start in range(0, sizes[0], _PART):
        boxes = [data[start : start + _PART] if data is not None and is_main_process() else b""]
        broadcast_object_list(boxes)
        parts.append(boxes[0])
    return b"".join(parts)
