"""Save checkpoints as folders, to which every process writes its shards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, cast

import torch
from torch import Tensor

from eng.dist import (
    gather_object,
    get_rank,
    get_world_size,
    is_main_process,
)
from eng.fileio import BaseStorageBackend, get_file_backend
from eng.utils import StateDict

from .errors import CheckpointError
from .folder_files import being_written, publish_folder
from .folder_format import COMPLETE, RUN, VERSION, is_local, make_part_name
from .save_group import SavingGroup, agree
from .shards import is_dtensor
from .tensor_paths import take_tensors
from .types import BackendArgs

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup
    from torch.distributed.checkpoint.metadata import Metadata
    from torch.distributed.checkpoint.planner import SavePlan
    from torch.distributed.checkpoint.storage import WriteResult

    from .dcp_storage import FileSum, FolderWriter
    from .save_plan import Shard

__all__ = ["GROUP", "FolderContent", "collect_folder", "save_folder", "write_folder"]

#: Keys of the places of tensors in ``run.pth``, and of those that each rank has of its own.
TENSORS, RANK_TENSORS = "tensor_paths", "rank_tensor_paths"
#: Of saves that are complete when the call returns.
GROUP = SavingGroup()


class FolderContent(NamedTuple):
    """The part of a checkpoint that a process writes.

    Attributes:
        rest: Everything but tensors; empty but in the first process.
        shards: Parts of tensors.
        layout: Description of the processes.
        group: The processes, None of a single one.
    """

    rest: StateDict
    shards: Sequence[Shard]
    layout: StateDict
    group: ProcessGroup | None


def save_folder(checkpoint: StateDict, path: str, backend_args: BackendArgs | None = None) -> None:
    """Save a checkpoint as a folder, without gathering sharded tensors. Called in all processes.

    It is written beside, and renamed when all processes have written; on stores that cannot rename,
    ``complete.json`` is written last.

    Args:
        checkpoint: Tensors and plain data by name. Beside sharded tensors, that of the first
            process is saved.
        path: Path or URL of the folder, which all processes reach.
        backend_args: Arguments of the storage backend. Defaults to None.

    Raises:
        CheckpointError: If a process could not write; raised in all processes.
        OSError: The same with the system's error, such as of a full disk.
    """
    write_folder(collect_folder(checkpoint, GROUP), path, backend_args)


def collect_folder(checkpoint: StateDict, group: SavingGroup) -> FolderContent:
    """Collect what this process writes, without copying it. Called in all processes.

    Args:
        checkpoint: Tensors and plain data by name.
        group: The processes, of one save at a time.

    Returns:
        The content.
    """
    from .save_plan import plan_shards

    taken = take_tensors(checkpoint)
    own_paths, first = gather_object(taken.own_paths), is_main_process()
    return FolderContent(
        {**taken.rest, TENSORS: taken.paths, RANK_TENSORS: own_paths} if first else {},
        plan_shards(taken.tensors, taken.own, first),
        {"world_size": get_world_size(), "meshes": _describe_meshes(taken.tensors.values())},
        group.get(),
    )


def write_folder(
    content: FolderContent, path: str, backend_args: BackendArgs | None = None
) -> None:
    """Write a checkpoint. Called in all processes, in a thread or not.

    Args:
        content: The part of this process.
        path: Path or URL of the folder.
        backend_args: Arguments of the storage backend. Defaults to None.
    """
    from .dcp_storage import FolderWriter

    path = path.rstrip("/")
    backend = get_file_backend(path, backend_args=backend_args)
    with ExitStack() as stack:
        place = agree(content.group, lambda: None, lambda _: _begin(backend, path, stack))

        def complete(sums: list[FileSum]) -> None:
            _complete(content, backend, (place, path), sums)

        try:
            _write_shards(content, FolderWriter(place, backend, get_rank(), complete))
        except BaseException:
            if is_main_process():
                with suppress(OSError):
                    backend.rmtree(place)
            raise


def _begin(backend: BaseStorageBackend, path: str, stack: ExitStack) -> list[str]:
    """Choose where all processes write."""
    place = make_part_name(path) if is_local(backend) else path
    stack.enter_context(being_written(place))
    if place == path and backend.isdir(path):
        _remove_old(backend, path)
    return [place] * get_world_size()


def _write_shards(content: FolderContent, writer: FolderWriter) -> None:
    """Plan, write, and complete the checkpoint, as torch's own function for it does.

    That waits for operations of the whole group, which do not end where a process was killed.
    """
    from .save_plan import ShardPlanner

    planner = ShardPlanner(content.shards)
    planner.set_up_planner({}, is_coordinator=is_main_process())
    metadata: Metadata | None = None

    def plan_all(plans: list[SavePlan]) -> list[SavePlan]:
        nonlocal metadata
        chosen, metadata = planner.create_global_plan(plans)
        return chosen

    def finish(results: list[list[WriteResult]]) -> list[None]:
        assert metadata is not None
        writer.finish(metadata, results)
        return [None] * len(results)

    plan = planner.finish_plan(agree(content.group, planner.create_local_plan, plan_all))
    agree(content.group, lambda: writer.write_data(plan, planner).wait(), finish)


def _remove_old(backend: BaseStorageBackend, path: str) -> None:
    complete = backend.join_path(path, COMPLETE)
    if backend.isfile(complete):  # first, since what follows is not all at once
        backend.remove(complete)
    backend.rmtree(path)


def _complete(
    content: FolderContent,
    backend: BaseStorageBackend,
    places: tuple[str, str],
    sums: list[FileSum],
) -> None:
    """Write everything but tensors, then ``complete.json``, and publish the folder."""
    from .dcp_storage import CheckedFile

    place, path = places
    for each in sums:
        if not backend.isfile(backend.join_path(place, *each.name.split("/"))):
            raise CheckpointError(
                f"{each.name} of {path!r} was written, but not where the first process is: all "
                "machines must share the storage of checkpoints that are folders"
            )

    def write(file: BinaryIO) -> None:
        checked = CheckedFile(file)
        torch.save(content.rest, cast("IO[bytes]", checked))
        sums.append(checked.sum(RUN))

    backend.put_with(write, backend.join_path(place, RUN))
    meta = content.rest.get("meta", {})
    described = {
        "format": VERSION,
        **{key: meta.get(key) for key in ("epoch", "iter", "global_batch")},
        "layout": content.layout,
        "versions": {name: version(name) for name in ("eng-checkpoint", "torch")},
        "files": {each.name: {"size": each.size, "crc32": each.crc32} for each in sums},
    }
    backend.put_text(f"{json.dumps(described, indent=1)}\n", backend.join_path(place, COMPLETE))
    if place != path:
        publish_folder(backend, place, path)


def _describe_meshes(tensors: Iterable[Tensor]) -> list[StateDict]:
    """Names and sizes of the dimensions of the meshes of tensors."""
    meshes = {each.device_mesh for each in tensors if is_dtensor(each)}
    found = [
        {"dims": list(mesh.mesh_dim_names or ()), "shape": list(mesh.shape)} for mesh in meshes
    ]
    return sorted(found, key=str)
