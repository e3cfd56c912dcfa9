"""Load checkpoints that are folders, whole or the shards of a process."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from eng.dist import (
    all_gather_object,
    broadcast_object_list,
    get_rank,
    get_world_size,
    is_main_process,
)
from eng.fileio import BaseStorageBackend, get_file_backend
from eng.utils import StateDict

from .errors import CheckpointError
from .folder_format import RUN, SAVED_BY, find_folder_damage
from .folder_saver import RANK_TENSORS, TENSORS
from .locations import move_tensors
from .named_optimizer import number_parameters
from .parsing import parse_checkpoint
from .shards import is_dtensor
from .tensor_paths import put_tensors
from .types import BackendArgs, MapLocation

if TYPE_CHECKING:
    from torch.distributed.checkpoint.metadata import Metadata
    from torch.distributed.checkpoint.planner import LoadPlan

__all__ = ["load_folder", "load_folder_shards", "read_run"]


def load_folder(
    path: str, map_location: MapLocation = None, backend_args: BackendArgs | None = None
) -> StateDict:
    """Load a checkpoint with whole tensors, in one process, and verify its checksums.

    Args:
        path: Path or URL of the folder.
        map_location: As for :func:`torch.load`. Defaults to None, the CPU.
        backend_args: Arguments of the storage backend. Defaults to None.

    Returns:
        The checkpoint, as one in a single file.

    Raises:
        CheckpointError: If it is incomplete or corrupt.
    """
    path = path.rstrip("/")
    backend = get_file_backend(path, backend_args=backend_args)
    damage = find_folder_damage(path, backend)
    if damage is not None:
        raise CheckpointError(f"{path!r} is corrupt: {damage}")
    run = read_run(path, backend, map_location)
    return _load(path, backend, run, {}, map_location)


def load_folder_shards(
    path: str,
    like: Mapping[str, Tensor],
    map_location: MapLocation = None,
    backend_args: BackendArgs | None = None,
) -> StateDict:
    """Load the same checkpoint in all processes, each the shards that it needs.

    Each process verifies some of the files; what is not a tensor, the first one reads for all.

    Args:
        path: Path or URL of the folder, which all processes reach.
        like: Tensors of the model by name, whose shards are loaded, as are those of averages and
            states of the optimizer of the same names. Others are loaded whole.
        map_location: Where these go, as for :func:`torch.load`. Defaults to None, the CPU.
        backend_args: Arguments of the storage backend. Defaults to None.

    Returns:
        The checkpoint, as one in a single file but for shards.

    Raises:
        CheckpointError: If it is incomplete or corrupt; raised in all processes.
    """
    path = path.rstrip("/")
    backend = get_file_backend(path, backend_args=backend_args)
    mine = range(get_rank(), 1 << 20, get_world_size())
    _raise_first(path, _find_damage(path, backend, mine))
    boxes: list[Any] = [None]
    if is_main_process():
        try:
            boxes = [read_run(path, backend, map_location)]
        except Exception as error:  # raised in all processes
            boxes = [CheckpointError(str(error))]
    broadcast_object_list(boxes)
    if isinstance(boxes[0], Exception):
        raise boxes[0]
    checkpoint, fault = boxes[0], None
    try:
        checkpoint = _load(path, backend, checkpoint, like, map_location)
    except Exception as error:
        fault = str(error)
    _raise_first(path, fault)
    return checkpoint


def read_run(
    path: str, backend: BaseStorageBackend, map_location: MapLocation = "cpu"
) -> StateDict:
    """Read everything but tensors of a checkpoint.

    Args:
        path: Path or URL of the folder.
        backend: Its storage.
        map_location: As for :func:`torch.load`. Defaults to the CPU.

    Returns:
        The checkpoint with None in place of tensors, and the places of these.

    Raises:
        CheckpointError: If it is corrupt.
    """
    name = backend.join_path(path, RUN)
    run = parse_checkpoint(backend.get(name), name, map_location)
    if not isinstance(run, dict) or not isinstance(run.get(TENSORS), dict):
        raise CheckpointError(f"{name!r} does not have the places of tensors")
    return run


def _find_damage(path: str, backend: BaseStorageBackend, only: range) -> str | None:
    try:
        return find_folder_damage(path, backend, only)
    except Exception as error:
        return f"it cannot be read ({error})"


def _raise_first(path: str, fault: str | None) -> None:
    """Raise the fault of any process in all of them."""
    faults = all_gather_object(fault)
    for rank, each in enumerate(faults):
        if each is not None:
            where = "" if len(faults) == 1 else f" (found by rank {rank})"
            raise CheckpointError(f"{path!r} is corrupt or cannot be read{where}: {each}")


def _load(
    path: str,
    backend: BaseStorageBackend,
    run: StateDict,
    like: Mapping[str, Tensor],
    map_location: MapLocation,
) -> StateDict:
    """Read the tensors, and put them into the rest."""
    from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner

    from .dcp_storage import FolderReader

    if SAVED_BY in run:
        raise CheckpointError(
            f"{path!r} has the format of {run[SAVED_BY]}, which alone can load it. With "
            "CheckpointHook(format='file') it saves files that all can load"
        )
    paths, by_rank = run.pop(TENSORS), run.pop(RANK_TENSORS, None) or []
    if len(by_rank) == get_world_size():
        paths = {**paths, **by_rank[get_rank()]}
    reader = FolderReader(path, backend)
    metadata = reader.read_metadata()
    tensors = {name: _allocate(metadata, name, paths[name], like) for name in paths}
    planner = DefaultLoadPlanner(flatten_state_dict=False, flatten_sharded_tensors=False)
    planner.set_up_planner(tensors, metadata, True)
    reader.set_up_storage_reader(metadata, True)
    plan = planner.finish_plan(planner.create_local_plan())
    _check_complete(tensors, plan)
    reader.read_data(plan, planner)
    whole = {name: each for name, each in tensors.items() if type(each) is Tensor}
    put_tensors(run, {**tensors, **move_tensors(whole, map_location)}, paths)
    if "optimizer" in run:
        run["optimizer"] = number_parameters(run["optimizer"])
    return run


def _check_complete(tensors: Mapping[str, Tensor], plan: LoadPlan) -> None:
    """Refuse an index that lacks parts, whose memory would stay as it was allocated."""
    counts = dict.fromkeys(tensors, 0)
    for item in plan.items:
        counts[item.dest_index.fqn] += prod(item.lengths)
    for name, value in tensors.items():
        local = value.to_local() if is_dtensor(value) else value
        if counts[name] != local.numel():
            raise CheckpointError(
                f"the index of tensors is incomplete: it has {counts[name]} of the {local.numel()} "
                f"numbers of {name!r}"
            )


def _allocate(
    metadata: Metadata, name: str, place: list[str | int], like: Mapping[str, Tensor]
) -> Tensor:
    """Allocate a tensor: a shard like that of the model if it has one of this name and size."""
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata

    found = metadata.state_dict_metadata.get(name)
    if not isinstance(found, TensorStorageMetadata):
        raise CheckpointError(f"{name!r} is in {RUN}, but not among the tensors")
    dtype = found.properties.dtype
    for key in map(str, place):
        model = like.get(key, like.get(key.removeprefix("module.")))
        if model is not None and model.shape == found.size:
            return torch.empty_like(model, dtype=dtype, requires_grad=False)
    return torch.empty(found.size, dtype=dtype)
