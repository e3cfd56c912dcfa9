"""Take the tensors out of a nested checkpoint, and put them back."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from torch import Tensor

from eng.utils import StateDict

from .errors import CheckpointError
from .shards import is_shard

__all__ = ["TensorPath", "put_tensors", "take_tensors"]

#: Keys of dicts and positions in lists that lead to a tensor.
TensorPath: TypeAlias = "tuple[str | int, ...]"

#: Entries of a checkpoint of which all tensors are taken, by the beginning of their names; of
#: others, such as random states, those that are sharded.
_SECTIONS = {"state_dict": "model", "ema_state_dict": "ema", "optimizer": "optimizer"}


def take_tensors(checkpoint: StateDict) -> tuple[StateDict, dict[str, Tensor], dict[str, Any]]:
    """Take weights, averages, states of optimizers and sharded tensors out of a checkpoint.

    Args:
        checkpoint: Tensors and plain data in dicts and lists, which stays as it is.

    Returns:
        A copy with None in place of these tensors, which are not copied; the tensors by unique
        names; and their paths by name.
    """
    tensors: dict[str, Tensor] = {}
    paths: dict[str, Any] = {}
    rest: StateDict = {}
    for key, value in checkpoint.items():
        found = dict(_find(value, (key,), key in _SECTIONS))
        for path, tensor in found.items():
            name = _make_unique(_name(path), tensors)
            tensors[name], paths[name] = tensor.detach(), list(path)
        rest[key] = _without(value, (key,), found)
    return rest, tensors, paths


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


def _find(value: object, path: TensorPath, is_all: bool) -> Iterator[tuple[TensorPath, Tensor]]:
    if isinstance(value, Tensor):
        if is_all or is_shard(value):
            yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(key, (str, int)):
                yield from _find(each, (*path, key), is_all)
    elif type(value) is list:
        for number, each in enumerate(value):
            yield from _find(each, (*path, number), is_all)


def _without(value: Any, path: TensorPath, found: Mapping[TensorPath, Tensor]) -> Any:
    """Copy dicts and lists on the way to tensors, with None in place of these."""
    if path in found:
        return None
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
