"""Take the tensors out of a nested checkpoint, and put them back."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from eng.dist import get_rank
from eng.utils import StateDict

from .errors import CheckpointError
from .shards import is_shard

__all__ = ["OwnTensors", "TakenTensors", "TensorPath", "put_tensors", "take_tensors"]

#: Keys of dicts and positions in lists that lead to a tensor.
TensorPath: TypeAlias = "tuple[str | int, ...]"

#: Entries of a checkpoint of which all tensors are taken, by the beginning of their names; of
#: others, such as random states, those that are sharded.
_SECTIONS = {"state_dict": "model", "ema_state_dict": "ema", "optimizer": "optimizer"}


class OwnTensors(dict[str, Tensor]):
    """Tensors by name that differ between processes, of which each saves its own.

    A process that loads a checkpoint of as many processes gets those of its rank.
    """

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mark tensors as those of this process; without any, an ordinary dict needs no mark."""
        return cls(tensors) if tensors else {}


class TakenTensors(NamedTuple):
    """Tensors of a checkpoint, apart from everything else.

    Attributes:
        rest: A copy of the checkpoint with None in place of these tensors.
        tensors: The tensors by unique names, not copied.
        paths: Their paths by name.
        own: Those of :class:`OwnTensors` in it, by names with the rank, and their paths.
        own_paths: The paths of these.
    """

    rest: StateDict
    tensors: dict[str, Tensor]
    paths: dict[str, Any]
    own: dict[str, Tensor]
    own_paths: dict[str, Any]


def take_tensors(checkpoint: StateDict) -> TakenTensors:
    """Take weights, averages, states of optimizers and sharded tensors out of a checkpoint.

    Args:
        checkpoint: Tensors and plain data in dicts and lists, which stays as it is.

    Returns:
        The tensors, and the rest.
    """
    taken = TakenTensors({}, {}, {}, {}, {})
    for key, value in checkpoint.items():
        found = dict(_find(value, (key,), key in _SECTIONS))
        for path, (tensor, is_own) in found.items():
            tensors, paths = taken[3:] if is_own else taken[1:3]
            name = _name(path)
            name = _make_unique(f"rank{get_rank()}.{name}" if is_own else name, tensors)
            tensors[name], paths[name] = tensor.detach(), list(path)
        taken.rest[key] = _without(value, (key,), found)
    return taken


def put_tensors(
    checkpoint: StateDict, tensors: Mapping[str, Tensor], paths: Mapping[str, Any]
) -> None:
    """Put tensors back where :func:`take_tensors` took them from.

    Args:
        checkpoint: The copy without them, which is changed.
        tensors: The tensors by name.
        paths: Their paths by name.

    Raises:
        CheckpointError: If a path does not lead into the checkpoint.
    """
    for name, tensor in tensors.items():
        *way, last = paths[name]
        place: Any = checkpoint
        try:
            for key in way:
                place = place[key]
            place[last] = tensor
        except (LookupError, TypeError) as error:
            raise CheckpointError(
                f"invalid layout: {name!r} has no place at {paths[name]}"
            ) from error


def _find(
    value: object, path: TensorPath, is_all: bool
) -> Iterator[tuple[TensorPath, tuple[Tensor, bool]]]:
    """Yield tensors by their paths, each with whether it is this process' own."""
    if isinstance(value, Tensor):
        if is_all or is_shard(value):
            yield path, (value, False)
    elif isinstance(value, OwnTensors):
        for name, tensor in value.items():
            yield (*path, name), (tensor, True)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(key, (str, int)):
                yield from _find(each, (*path, key), is_all)
    elif type(value) is list:
        for number, each in enumerate(value):
            yield from _find(each, (*path, number), is_all)


def _without(value: Any, path: TensorPath, found: Mapping[TensorPath, object]) -> Any:
    """Copy dicts and lists on the way to tensors, with None in place of these."""
    if path in found:
        return None
    if isinstance(value, OwnTensors):
        return {}
    if not any(each[: len(path)] == path for each in found):
        return value
    kept = copy.copy(value)  # with attributes, such as the versions in a state dict
    for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
        kept[key] = _without(each, (*path, key), found)
    return kept


def _name(path: TensorPath) -> str:
    section, *inner = path
    return ".".join(map(str, [_SECTIONS.get(str(section), section), *inner]))


def _make_unique(name: str, taken: Mapping[str, object]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}#{number}"
    return unique
