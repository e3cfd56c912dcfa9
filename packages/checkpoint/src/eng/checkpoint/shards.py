"""Shards of tensors: take them instead of gathering whole tensors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeGuard

from torch import Tensor, nn

__all__ = ["are_shards_kept", "has_sharded_parameters", "is_dtensor", "is_shard", "keep_shards"]

_is_kept: ContextVar[bool] = ContextVar("keep_shards", default=False)


@contextmanager
def keep_shards() -> Iterator[None]:
    """Within the block, states of sharded models are not gathered.

    :func:`eng.checkpoint.get_state_dict` returns ``DTensor`` in every process, as hooks and parts
    of a run that call it add them to a checkpoint that is saved as a folder.

    Yields:
        Nothing.
    """
    token = _is_kept.set(True)
    try:
        yield
    finally:
        _is_kept.reset(token)


def are_shards_kept() -> bool:
    """Whether states of sharded models are not gathered now."""
    return _is_kept.get()


def is_shard(value: object) -> TypeGuard[Any]:
    """Whether a value is a sharded tensor: a ``DTensor``, or a ``ShardedTensor`` of FSDP1."""
    return isinstance(value, Tensor) and (
        hasattr(value, "device_mesh") or hasattr(value, "local_shards")
    )


def is_dtensor(value: object) -> TypeGuard[Any]:
    """Whether a value is a ``DTensor``."""
    return isinstance(value, Tensor) and hasattr(value, "device_mesh")


def has_sharded_parameters(module: nn.Module) -> bool:
    """Whether a parameter of a module is a ``DTensor``."""
    # A program that shards has imported it; its import takes as long as torch itself.
    if "torch.distributed.tensor" not in sys.modules:
        return False
    return any(is_dtensor(each) for each in module.parameters())
