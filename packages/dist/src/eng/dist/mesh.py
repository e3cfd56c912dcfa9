"""Mesh of processes with named axes, and the rank of a process among those with data of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

from eng.device import get_device
from eng.utils import ArgumentTypeError, ArgumentValueError

from .groups import get_default_group, get_rank, get_world_size

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = [
    "MESH_AXES",
    "get_data_group",
    "get_data_info",
    "get_data_rank",
    "get_data_world_size",
    "get_mesh",
    "get_tensor_group",
    "init_mesh",
    "keep_data_ranks",
    "resolve_sizes",
    "use_mesh",
]

T = TypeVar("T")

#: Axes of a mesh, from outside to inside: replicas of the model, shards of its parameters, and
#: parts of its layers. Processes that differ in the last alone take the same samples.
MESH_AXES = ("data", "shard", "tensor")


@dataclass
class _Layout:
    """The mesh of this process, and the default group that it belongs to."""

    mesh: DeviceMesh
    world: ProcessGroup | None
    data_group: ProcessGroup | None = None

    @property
    def tensor(self) -> int:
        """Number of processes that take the same samples."""
        return self.mesh["tensor"].size()


_layout: _Layout | None = None


def init_mesh(sizes: Mapping[str, int | str]) -> DeviceMesh:
    """Create a mesh of all processes with the axes ``data``, ``shard`` and ``tensor``.

    Every process must call it, since all processes create a group together. Processes that follow
    one another are next to each other along ``tensor``, then along ``shard``.

    Args:
        sizes: Number of processes along each axis, 1 for a missing one. One may be ``'rest'``, the
            processes that are left.

    Returns:
        The mesh, on the device of models.

    Raises:
        TypeError: If ``sizes`` is not a dict.
        ValueError: If an axis is unknown, a size is not a positive integer, or the product of the
            sizes is not the number of processes.
    """
    from torch.distributed.device_mesh import init_device_mesh  # slow to import

    shape = resolve_sizes(sizes, get_world_size())
    kind = torch.device(get_device()).type
    return init_device_mesh(kind, shape, mesh_dim_names=MESH_AXES)


def resolve_sizes(sizes: Mapping[str, int | str], world_size: int) -> tuple[int, ...]:
    """Resolve the sizes of a mesh for a number of processes.

    Args:
        sizes: Number of processes along each axis, see :func:`init_mesh`.
        world_size: Number of all processes.

    Returns:
        The size along each axis of :data:`MESH_AXES`.

    Raises:
        TypeError: If ``sizes`` is not a dict.
        ValueError: If an axis is unknown, a size is not a positive integer, or they do not fit the
            number of processes.

    Examples:
        >>> resolve_sizes(dict(data=2, shard='rest'), world_size=8)
        (2, 4, 1)
    """
    if not isinstance(sizes, Mapping):
        raise ArgumentTypeError(
            f"a mesh must be sizes by axis, such as dict(data=2, shard='rest'), not {sizes!r}"
        )
    unknown = [axis for axis in sizes if axis not in MESH_AXES]
    if unknown:
        raise ArgumentValueError(
            f"unknown axes {unknown} of a mesh: known are {', '.join(MESH_AXES)}"
        )
    given = {axis: sizes.get(axis, 1) for axis in MESH_AXES}
    rest = [axis for axis, size in given.items() if size == "rest"]
    known = [_check_size(axis, size) for axis, size in given.items() if axis not in rest]
    product = math.prod(known)
    fits = world_size % product == 0 if rest else world_size == product
    if len(rest) > 1 or not fits:
        shown = ", ".join(f"{axis}={size!r}" for axis, size in given.items())
        problem = (
            "only one size may be 'rest'"
            if len(rest) > 1
            else f"{product} processes {'or a multiple ' if rest else ''}are needed"
        )
        raise ArgumentValueError(
            f"a mesh of {shown} does not fit {world_size} processes: {problem}"
        )
    left = world_size // product
    return tuple(left if size == "rest" else int(size) for size in given.values())


def _check_size(axis: str, size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ArgumentValueError(
            f"{axis} must be a number of processes, at least 1, or 'rest', not {size!r}"
        )
    return size


def use_mesh(mesh: DeviceMesh | None) -> None:
    """Set the mesh of this process, from which its data rank follows.

    Args:
        mesh: A mesh of :func:`init_mesh`; None removes it, so that every process takes samples of
            its own.

    Raises:
        ValueError: If the mesh has other axes.
    """
    global _layout  # noqa: PLW0603 - one mesh a process, as there is one default group
    if mesh is None:
        _layout = None
        return
    if mesh.mesh_dim_names != MESH_AXES:
        raise ArgumentValueError(
            f"the axes of the mesh must be {MESH_AXES}, not {mesh.mesh_dim_names}"
        )
    if get_mesh() is not mesh:
        _layout = _Layout(mesh, get_default_group())


def get_mesh() -> DeviceMesh | None:
    """Return the mesh of this process; None without one, or if its group was destroyed."""
    layout = _find_layout()
    return None if layout is None else layout.mesh


def get_data_rank() -> int:
    """Return the rank of this process among those that take samples of their own.

    Without a mesh it is the rank of the process. Processes of one tensor group have the same.
    """
    return get_data_info()[0]


def get_data_world_size() -> int:
    """Return the number of processes that take samples of their own.

    Without a mesh it is the number of all processes, with one that of ``data`` times ``shard``.
    """
    return get_data_info()[1]


def get_data_info() -> tuple[int, int]:
    """Return data rank and number of data ranks, see :func:`get_data_rank`."""
    layout = _find_layout()
    shared = 1 if layout is None else layout.tensor
    return get_rank() // shared, get_world_size() // shared


def get_data_group() -> ProcessGroup | None:
    """Return a group of processes that together take each sample once.

    Its first call must be in all processes, since they create it together.

    Returns:
        The group, of one process for each data rank; the default group without a mesh whose
        ``tensor`` is above 1.
    """
    layout = _find_layout()
    if layout is None or layout.tensor == 1:
        return get_default_group()
    if layout.data_group is None:
        step, world_size = layout.tensor, get_world_size()
        for first in range(step):
            group = torch_dist.new_group(list(range(first, world_size, step)))
            if get_rank() % step == first:
                layout.data_group = group
    return layout.data_group


def get_tensor_group() -> ProcessGroup | None:
    """Return the group of the processes that take the same samples as this one.

    Returns:
        The group; None if it is this process alone.
    """
    layout = _find_layout()
    if layout is None or layout.tensor == 1:
        return None
    return layout.mesh.get_group("tensor")


def keep_data_ranks(gathered: Sequence[T]) -> list[T]:
    """Of values that were gathered from all processes, keep one of each data rank.

    Args:
        gathered: A value of each process, in order of their ranks.

    Returns:
        A value of each data rank, in order.
    """
    layout = _find_layout()
    return list(gathered[:: 1 if layout is None else layout.tensor])


def _find_layout() -> _Layout | None:
    """Return the layout, unless its distributed environment was destroyed."""
    if _layout is not None and _layout.world is get_default_group():
        return _layout
    return None
