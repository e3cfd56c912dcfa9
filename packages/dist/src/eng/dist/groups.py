"""Ranks and sizes of process groups, and the local group of one machine."""

import functools
import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

__all__ = [
    "get_backend",
    "get_default_group",
    "get_dist_info",
    "get_local_group",
    "get_local_rank",
    "get_local_size",
    "get_rank",
    "get_world_size",
    "init_local_group",
    "is_distributed",
    "is_main_process",
    "master_only",
]

P = ParamSpec("P")
R = TypeVar("R")

_local_group: ProcessGroup | None = None
_thread = threading.local()
#: Whether torch was built with its distributed part.
_IS_AVAILABLE = torch_dist.is_available()


def is_distributed() -> bool:
    """Whether a distributed environment is initialized."""
    return _IS_AVAILABLE and torch_dist.is_initialized()


def get_default_group() -> ProcessGroup | None:
    """Return the default process group, None in a non-distributed environment."""
    return torch_dist.group.WORLD if is_distributed() else None


def get_backend(group: ProcessGroup | None = None) -> str | None:
    """Return the backend of a process group.

    Args:
        group: The group; the default group when None.

    Returns:
        Its name in lower case, None in a non-distributed environment.
    """
    return torch_dist.get_backend(group) if is_distributed() else None


def get_world_size(group: ProcessGroup | None = None) -> int:
    """Return the number of processes of a group, 1 in a non-distributed environment.

    Args:
        group: The group; the default group when None.
    """
    return torch_dist.get_world_size(group) if is_distributed() else 1


def get_rank(group: ProcessGroup | None = None) -> int:
    """Return the rank of this process within a group, 0 in a non-distributed environment.

    Args:
        group: The group; the default group when None.

    Returns:
        An index from 0 to the size of the group minus 1; -1 if this process is not in the group.
    """
    return torch_dist.get_rank(group) if is_distributed() else 0


def ranks_of(group: ProcessGroup | None) -> list[int]:
    """Return the global ranks of a group; of the default group when None."""
    # older versions of torch do not take None
    return torch_dist.get_process_group_ranks(cast(ProcessGroup, group or torch_dist.group.WORLD))


def get_dist_info(group: ProcessGroup | None = None) -> tuple[int, int]:
    """Return rank and world size of a group, (0, 1) in a non-distributed environment.

    Args:
        group: The group; the default group when None.
    """
    return get_rank(group), get_world_size(group)


def is_main_process(group: ProcessGroup | None = None) -> bool:
    """Whether this process has rank 0 of a group.

    Args:
        group: The group; the default group when None.
    """
    return not is_distributed() or torch_dist.get_rank(group) == 0


def master_only(func: Callable[P, R]) -> Callable[P, R | None]:
    """Decorate a function so that the main process alone runs it.

    With several processes, a collective inside of it is warned of: it waits for the others.

    Args:
        func: Function to be decorated.

    Returns:
        A function that returns None without a call in every other process.
    """

    @functools.wraps(func)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | None:
        if not is_main_process():
            return None
        before = is_inside_master_only()
        _thread.is_inside_master_only = True
        try:
            return func(*args, **kwargs)
        finally:
            _thread.is_inside_master_only = before

    return wrapper


def is_inside_master_only() -> bool:
    """Whether this thread runs a function that :func:`master_only` has decorated."""
    return getattr(_thread, "is_inside_master_only", False)


def init_local_group(node_rank: int, num_gpus_per_node: int) -> None:
    """Create the group of the processes on this machine.

    Every process must call it, since all processes create a group together. Machine ``i`` has the
    ranks from ``i * num_gpus_per_node`` on.

    Args:
        node_rank: Index of this machine.
        num_gpus_per_node: Processes on each machine.

    Raises:
        RuntimeError: If the distributed environment is not initialized.
        ValueError: If the world size is not a multiple of ``num_gpus_per_node``, or this process
            is not on machine ``node_rank``.
    """
    global _local_group  # noqa: PLW0603 - one local group a process, as there is one default group
    if not is_distributed():
        raise RuntimeError("init_local_group requires a distributed environment: call init_dist")
    rank, world_size = get_dist_info()
    if num_gpus_per_node < 1 or world_size % num_gpus_per_node:
        raise ValueError(
            f"world size {world_size} is not divisible by num_gpus_per_node={num_gpus_per_node}"
        )
    if rank // num_gpus_per_node != node_rank:
        raise ValueError(
            f"node_rank mismatch: with num_gpus_per_node={num_gpus_per_node}, rank {rank} is on "
            f"machine {rank // num_gpus_per_node}, not on node_rank={node_rank}"
        )
    for first in range(0, world_size, num_gpus_per_node):
        group = torch_dist.new_group(list(range(first, first + num_gpus_per_node)))
        if first == node_rank * num_gpus_per_node:
            _local_group = group


def get_local_group() -> ProcessGroup | None:
    """Return the group of this machine's processes.

    Returns:
        The group of :func:`init_local_group`; None in a non-distributed environment.

    Raises:
        RuntimeError: If the environment is distributed and the local group is not initialized.
    """
    if not is_distributed():
        return None
    group = _find_local_group()
    if group is None:
        raise RuntimeError("the local group is not initialized: call init_local_group first")
    return group


def get_local_size() -> int:
    """Return the number of processes on this machine, 1 in a non-distributed environment.

    Raises:
        RuntimeError: If the local group is not initialized and ``LOCAL_WORLD_SIZE`` is not set.
    """
    if not is_distributed():
        return 1
    group = _find_local_group()
    return _read_variable("LOCAL_WORLD_SIZE") if group is None else get_world_size(group)


def get_local_rank() -> int:
    """Return the rank of this process on its machine, 0 in a non-distributed environment.

    Raises:
        RuntimeError: If the local group is not initialized and ``LOCAL_RANK`` is not set.
    """
    if not is_distributed():
        return 0
    group = _find_local_group()
    return _read_variable("LOCAL_RANK") if group is None else get_rank(group)


def _find_local_group() -> ProcessGroup | None:
    """Return the local group, unless its distributed environment was destroyed."""
    known = torch_dist.distributed_c10d._world.pg_map
    return _local_group if _local_group is not None and _local_group in known else None


def _read_variable(variable: str) -> int:
    if variable not in os.environ:
        raise RuntimeError(
            f"the local group is not initialized and {variable} is not set: call init_local_group, "
            "or use a launcher that sets it"
        )
    return int(os.environ[variable])
