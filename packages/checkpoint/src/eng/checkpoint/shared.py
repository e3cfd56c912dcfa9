"""Load the same checkpoint in all processes, even without a shared file system."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping

from torch import Tensor

from eng.dist import all_gather_object, broadcast_object_list, get_world_size, is_main_process
from eng.logging import print_log

from .errors import CheckpointError
from .folder_format import is_checkpoint_folder
from .loader import CheckpointLoader
from .parsing import parse_checkpoint, read_file
from .types import BackendArgs, Checkpoint, Logger, MapLocation

__all__ = ["load_shared_checkpoint"]

#: Bytes of one broadcast: with NCCL they pass through the memory of the GPU.
_PART = 1 << 26


def load_shared_checkpoint(
    filename: str,
    map_location: MapLocation = None,
    logger: Logger = None,
    backend_args: BackendArgs | None = None,
    like: Mapping[str, Tensor] | None = None,
) -> Checkpoint:
    """Load the checkpoint of rank 0 in all processes. Called in all processes.

    Ranks whose file is missing or differs, such as on machines with local disks, receive the file
    of rank 0. Of a checkpoint that is a folder, each rank reads what it needs.

    Args:
        filename: Path, URL, or name with a registered prefix, see :class:`CheckpointLoader`.
        map_location: As for :func:`torch.load`. Defaults to None.
        logger: Logger of the messages. Defaults to None: they are printed.
        backend_args: Arguments of the storage backend. Defaults to None.
        like: Sharded tensors of the model by name: of a folder, only the shards of these are
            loaded. Defaults to None.

    Returns:
        The checkpoint.

    Raises:
        FileNotFoundError: If the file does not exist on rank 0; raised in all processes.
        CheckpointError: If it is corrupt or not a checkpoint; raised in all processes.
    """
    if CheckpointLoader.has_scheme(filename):
        return CheckpointLoader.load_checkpoint(filename, map_location, logger)
    if _is_folder(filename, backend_args):
        from .folder_loader import load_folder_shards

        print_log(f"Loads checkpoint from {filename}", logger=logger)
        return load_folder_shards(filename, like or {}, map_location, backend_args)
    if get_world_size() == 1:
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
            f"{filename} is missing or different on ranks {others}: broadcasting it from rank 0.",
            logger=logger,
            level=logging.WARNING,
        )
        data = _send(data)
    return parse_checkpoint(data or b"", filename, map_location)


def _is_folder(filename: str, backend_args: BackendArgs | None) -> bool:
    """Whether the checkpoint of rank 0 is a folder."""
    boxes: list[bool | None] = [None]
    if is_main_process():
        boxes = [is_checkpoint_folder(filename, backend_args)]
    broadcast_object_list(boxes)
    return bool(boxes[0])


def _try_to_read(
    filename: str, backend_args: BackendArgs | None
) -> tuple[bytes | None, Exception | None]:
    try:
        return read_file(filename, backend_args), None
    except FileNotFoundError as error:
        return None, FileNotFoundError(*error.args)  # its cause may not pickle
    except Exception as error:  # raised after the gather, or the other ranks would hang
        return None, CheckpointError(f"{filename!r} cannot be read: {error}")


def _send(data: bytes | None) -> bytes:
    """Broadcast the bytes of rank 0."""
    sizes = [len(data or b"")]
    broadcast_object_list(sizes)
    parts = []
    for start in range(0, sizes[0], _PART):
        boxes = [data[start : start + _PART] if data is not None and is_main_process() else b""]
        broadcast_object_list(boxes)
        parts.append(boxes[0])
    return b"".join(parts)
