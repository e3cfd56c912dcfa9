"""Save checkpoints of another library as folders that are complete or not there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from typing import Any

import torch

from eng.dist import all_gather_object, broadcast_object_list, is_main_process
from eng.fileio import get_file_backend
from eng.utils import StateDict

from .errors import CheckpointError
from .folder_files import being_written, publish_folder
from .folder_format import COMPLETE, RUN, SAVED_BY, VERSION, is_local, make_part_name
from .folder_saver import TENSORS

__all__ = ["save_foreign_folder"]

_CHUNK = 1 << 22


def save_foreign_folder(
    path: str, write: Callable[[str], object], run: StateDict, saved_by: str
) -> None:
    """Let another library save a checkpoint into a folder. Called in all processes.

    It is written beside, and renamed when all processes have written, with ``complete.json`` as of
    our own, by which the newest complete checkpoint is found. Only the library loads it.

    Args:
        path: Path of the folder, on the disk.
        write: Called in all processes with the path of a new folder.
        run: Further content, with ``meta``.
        saved_by: Name of what can load it.

    Raises:
        CheckpointError: If the path is not local, or a process could not write; raised in all.
    """
    backend = get_file_backend(path)
    if not is_local(backend):
        raise CheckpointError(f"{path!r} is not on a disk, where {saved_by} saves its checkpoints")
    boxes: list[Any] = [make_part_name(path)]
    broadcast_object_list(boxes)
    part = Path(boxes[0])
    with ExitStack() as stack:
        stack.enter_context(being_written(str(part)))
        _together(lambda: write(str(part)), path, part)

        def complete() -> None:
            if is_main_process():
                torch.save({**run, TENSORS: {}, SAVED_BY: saved_by}, part / RUN)
                _write_complete(part, run.get("meta", {}))
                publish_folder(backend, str(part), path)

        _together(complete, path, part)


def _together(work: Callable[[], object], path: str, part: Path) -> None:
    """Do something in all processes, which all fail if one does."""
    fault = None
    try:
        work()
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
    faults = all_gather_object(fault)
    for rank, each in enumerate(faults):
        if each is not None:
            if is_main_process():
                rmtree(part, ignore_errors=True)
            raise CheckpointError(f"{path!r} could not be saved: rank {rank}: {each}")


def _write_complete(folder: Path, meta: StateDict) -> None:
    files = {
        str(each.relative_to(folder).as_posix()): _sum(each)
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }
    described = {
        "format": VERSION,
        **{key: meta.get(key) for key in ("epoch", "iter", "global_batch")},
        "files": files,
    }
    (folder / COMPLETE).write_text(f"{json.dumps(described, indent=1)}\n", encoding="utf-8")


def _sum(path: Path) -> dict[str, object]:
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return {"size": size, "crc32": f"{crc:08x}"}
