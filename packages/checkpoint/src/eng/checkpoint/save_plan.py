"""Plan which process writes which shard of which tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

from torch import Tensor
from torch.distributed.checkpoint.default_planner import (
    DefaultSavePlanner,
    create_default_local_save_plan,
)
from torch.distributed.checkpoint.metadata import MetadataIndex
from torch.distributed.checkpoint.planner import SavePlan, WriteItem

from eng.utils import override

from .shards import is_dtensor, is_shard

__all__ = ["Shard", "ShardPlanner", "plan_shards"]

#: The place of a shard in the whole tensor, and its values.
Shard: TypeAlias = "tuple[WriteItem, Tensor]"


def plan_shards(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor], is_first: bool
) -> list[Shard]:
    """List the parts of tensors that this process has.

    Args:
        tensors: Tensors by name: sharded ones, and whole ones, of which the first process saves its
            own, as buffers may differ between processes.
        own: Whole tensors of this process alone.
        is_first: Whether this is the first process.

    Returns:
        The parts, whose values are not copied.
    """
    chosen: dict[str, Any] = {
        **{name: value for name, value in tensors.items() if is_first or is_shard(value)},
        **own,
    }
    finder = DefaultSavePlanner(flatten_state_dict=False, flatten_sharded_tensors=False)
    finder.set_up_planner(chosen)
    plan = create_default_local_save_plan(chosen, is_first)
    found = []
    for item in plan.items:
        if item.tensor_data is None or item.tensor_data.chunk is None:
            raise AssertionError(f"{item.index.fqn} is not a tensor")
        # Where a dimension is shorter than the mesh, some processes have no part of it.
        if prod(item.tensor_data.chunk.sizes) or not prod(item.tensor_data.size):
            found.append((item, _to_plain(finder.lookup_object(item.index))))
    return found


def _to_plain(value: Tensor) -> Tensor:
    local: Tensor = value.to_local() if is_dtensor(value) else value
    return local.detach()


class ShardPlanner(DefaultSavePlanner):
    """Plans to write shards that were listed before, such as copies of them.

    Of a shard that several processes have, the one with least to write writes it.

    Args:
        shards: The shards of this process.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        super().__init__(flatten_state_dict=False, flatten_sharded_tensors=False)
        self._items = [item for item, _ in shards]
        self._by_place = {_place(item.index): value for item, value in shards}

    @override
    def create_local_plan(self) -> SavePlan:
        self.plan = SavePlan(self._items)
        return self.plan

    @override
    def lookup_object(self, index: MetadataIndex) -> Tensor:
        return self._by_place[_place(index)]


def _place(index: MetadataIndex) -> tuple[str, tuple[int, ...]]:
    return index.fqn, tuple(index.offset or ())
