"""Build the mesh of processes that a model is sharded over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import ShardingStrategy

from eng.dist import get_local_size, get_world_size
from eng.utils import ArgumentTypeError, ArgumentValueError

from .device_and_dtype import device_kind

__all__ = ["build_mesh", "check_shards", "default_mesh"]


def build_mesh(given: object) -> DeviceMesh | None:
    """Build a mesh from a config.

    Args:
        given: Sizes of the dimensions, by name in a dict or in a list, of which one may be -1 or
            ``'rest'``, the processes that are left; a mesh; or None. Of two dimensions the first
            replicates and the second shards.

    Returns:
        The mesh, None for None.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there are not one or two dimensions, a size is not a positive integer, or
            their product is not the number of processes.
    """
    if given is None or isinstance(given, DeviceMesh):
        return given
    if isinstance(given, Mapping):
        names, sizes = tuple(given), list(given.values())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        names, sizes = ("replicate", "shard")[-len(given) :], list(given)
    else:
        raise ArgumentTypeError(
            "mesh must be sizes by name such as dict(data=2, shard='rest'), a list of sizes, or a "
            f"DeviceMesh, not {given!r}"
        )
    if len(sizes) not in (1, 2):
        raise ArgumentValueError(
            f"mesh must have one dimension, to shard, or two, to replicate and shard, not {given!r}"
        )
    return init_device_mesh(device_kind(), _resolve(given, sizes), mesh_dim_names=names)


def default_mesh(strategy: ShardingStrategy | None) -> DeviceMesh:
    """Build the mesh of FSDP without one in the config.

    Args:
        strategy: Hybrid strategies shard within a machine and replicate over machines. torch would
            count the devices that a process sees, of which a launcher may show it only one: then
            each process would shard over itself.

    Returns:
        The mesh.

    Raises:
        ValueError: If machines do not have the same number of processes, or it is unknown.
    """
    world_size = get_world_size()
    if strategy is None or "HYBRID" not in strategy.name:
        return init_device_mesh(device_kind(), (world_size,))
    try:
        local = get_local_size()
    except RuntimeError as error:
        raise ArgumentValueError(
            f"sharding_strategy={strategy.name!r} shards over the processes of a machine, whose "
            "number is unknown: start them by torchrun or set LOCAL_WORLD_SIZE, or set device_mesh "
            "to the numbers of machines and of processes on each"
        ) from error
    if world_size % local:
        raise ArgumentValueError(
            f"sharding_strategy={strategy.name!r} needs the same number of processes on each "
            f"machine: {world_size} processes are not a multiple of {local}"
        )
    shape = (world_size // local, local)
    return init_device_mesh(device_kind(), shape, mesh_dim_names=("replicate", "shard"))


def check_shards(mesh: DeviceMesh) -> None:
    """Refuse to replicate over processes of which each shards over itself.

    torch's class would train a separate model in each of them, in silence.

    Args:
        mesh: The mesh.

    Raises:
        ValueError: If it is such a mesh.
    """
    if mesh.ndim == 2 and mesh.size(1) == 1 < mesh.size(0):
        raise ArgumentValueError(
            f"hybrid sharding over {mesh.size(0)} groups of a single process shards nothing, and "
            "torch would train a separate model in each: use MMDistributedDataParallel, or "
            "sharding_strategy='FULL_SHARD', or start more processes on each machine"
        )


def _resolve(given: object, sizes: Sequence[object]) -> tuple[int, ...]:
    """Resolve the size of the rest, and refuse sizes that are not those of all processes."""
    world_size = get_world_size()
    rest = [place for place, size in enumerate(sizes) if size in (-1, "rest")]
    known = [size for place, size in enumerate(sizes) if place not in rest]
    for size in known:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ArgumentValueError(
                f"mesh: a size must be an integer of at least 1, or 'rest', not {size!r}"
            )
    product = math.prod(size for size in known if isinstance(size, int))
    fits = world_size % product == 0 if len(rest) == 1 else world_size == product
    if len(rest) > 1 or not fits:
        raise ArgumentValueError(f"mesh {given!r} does not fit {world_size} processes")
    left = world_size // product
    return tuple(left if place in rest else int(str(size)) for place, size in enumerate(sizes))
