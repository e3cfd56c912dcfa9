"""The processes that save a checkpoint together, in a group of their own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import torch
import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

from eng.dist import get_default_group, get_rank, get_world_size

from .errors import CheckpointError

__all__ = ["SavingGroup", "agree"]

T = TypeVar("T")
R = TypeVar("R")


class SavingGroup:
    """A group of all processes for the saves of one writer, which communicates by the CPU.

    Saves in the background communicate while training does, and while those of another writer do:
    in one group, the operations of both would meet.
    """

    def __init__(self) -> None:
        self._made: tuple[ProcessGroup, ProcessGroup] | None = None

    def get(self) -> ProcessGroup | None:
        """Return the group, None in a single process.

        It is made by the first call, which is to be in all processes, and not in a thread.
        """
        if get_world_size() == 1:
            return None
        default = get_default_group()
        assert default is not None
        if self._made is None or self._made[0] is not default:
            self._made = default, torch_dist.new_group(backend="gloo")
        return self._made[1]


def agree(
    group: ProcessGroup | None, act: Callable[[], T], conclude: Callable[[list[T]], list[R]]
) -> R:
    """Do something in all processes, then something with the results in the first one.

    The first process talks to each of the others alone: where one was killed, the others learn of
    it, and do not wait for an operation of the group that never ends.

    Args:
        group: The processes, None of a single one.
        act: Called in each process.
        conclude: Called in the first process, with a result of each; returns a result for each.

    Returns:
        The result for this process.

    Raises:
        Exception: The error of the first process that failed; raised in all processes.
    """
    outcome: Any
    size, rank = get_world_size(group), get_rank(group)
    try:
        outcome = act()
    except Exception as error:
        outcome = _name_rank(error, rank)
    if rank != 0:
        assert group is not None
        _send(outcome, 0, group)
        answer: R = _unpack(_receive(0, group))
        return answer
    others = [_receive(each, group) for each in range(1, size) if group is not None]
    answers: list[Any] = []
    try:
        answers = [*conclude([_unpack(outcome), *map(_unpack, others)])]
    except Exception as error:
        answers = [error] * size
    for each in range(1, size):
        assert group is not None
        with suppress(RuntimeError):  # it was killed meanwhile
            _send(answers[each], each, group)
    own: R = _unpack(answers[0])
    return own


def _name_rank(error: Exception, rank: int) -> Exception:
    """Say where an error was raised, but for those of the system, which name the file."""
    if rank == 0 or isinstance(error, OSError):
        return error
    return CheckpointError(f"rank {rank}: {type(error).__name__}: {error}")


def _unpack(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _send(value: object, rank: int, group: ProcessGroup) -> None:
    try:
        content = pickle.dumps(value)
    except Exception:  # of an error that a library raised
        content = pickle.dumps(CheckpointError(f"{type(value).__name__}: {value}"))
    size = torch.tensor([len(content)])
    torch_dist.send(size, rank, group)
    torch_dist.send(torch.frombuffer(bytearray(content), dtype=torch.uint8), rank, group)


def _receive(rank: int, group: ProcessGroup) -> object:
    try:
        size = torch.empty(1, dtype=torch.int64)
        torch_dist.recv(size, rank, group)
        content = torch.empty(int(size), dtype=torch.uint8)
        torch_dist.recv(content, rank, group)
    except RuntimeError as error:
        return CheckpointError(f"lost the connection to rank {rank}: {error}")
    value: object = pickle.loads(content.numpy().tobytes())
    return value
