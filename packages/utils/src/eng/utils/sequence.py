"""Type checks and casts of sequences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

from .errors import ArgumentTypeError

__all__ = [
    "concat_list",
    "is_list_of",
    "is_seq_of",
    "is_str",
    "is_tuple_of",
    "iter_cast",
    "list_cast",
    "slice_list",
    "to_1tuple",
    "to_2tuple",
    "to_3tuple",
    "to_4tuple",
    "to_ntuple",
    "tuple_cast",
]


Item = TypeVar("Item")
Cast = TypeVar("Cast")


def is_str(x: object) -> bool:
    """Return whether ``x`` is a string."""
    return isinstance(x, str)


def is_seq_of(
    seq: object,
    expected_type: type | tuple[type, ...],
    seq_type: type | None = None,
) -> bool:
    """Return whether ``seq`` is a sequence of items of a type.

    Args:
        seq: Object to check.
        expected_type: Type of the items, or a tuple of types.
        seq_type: Type of the sequence. Default: any ``collections.abc.Sequence``.

    Raises:
        TypeError: ``seq_type`` is not a type.

    Examples:
        >>> is_seq_of(["a", "b"], str)
        True
    """
    if seq_type is None:
        seq_type = Sequence
    elif not isinstance(seq_type, type):
        raise ArgumentTypeError(f"seq_type must be a type, but got {seq_type!r}")
    return isinstance(seq, seq_type) and all(isinstance(item, expected_type) for item in seq)  # type: ignore[attr-defined]


def is_list_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether ``seq`` is a list of items of a type."""
    return is_seq_of(seq, expected_type, seq_type=list)


def is_tuple_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether ``seq`` is a tuple of items of a type."""
    return is_seq_of(seq, expected_type, seq_type=tuple)


@overload
def iter_cast(inputs: Iterable[object], dst_type: type[Item]) -> Iterator[Item]: ...


@overload
def iter_cast(
    inputs: Iterable[object], dst_type: type[Item], return_type: None
) -> Iterator[Item]: ...


@overload
def iter_cast(inputs: Iterable[object], dst_type: type, return_type: type[Cast]) -> Cast: ...


def iter_cast(inputs: Iterable[object], dst_type: type, return_type: type | None = None) -> object:
    """Cast the items of an iterable.

    Args:
        inputs: Iterable of items.
        dst_type: Type of the items.
        return_type: Type of the result. Default: an iterator.

    Raises:
        TypeError: ``inputs`` is not iterable, or ``dst_type`` is not a type.
    """
    if not isinstance(inputs, Iterable):
        raise TypeError(f"inputs must be an iterable object, not {type(inputs).__name__}")
    if not isinstance(dst_type, type):
        raise TypeError(f'"dst_type" must be a valid type, not {dst_type!r}')
    items = map(dst_type, inputs)
    return items if return_type is None else return_type(items)


def list_cast(inputs: Iterable[object], dst_type: type[Item]) -> list[Item]:
    """Cast the items of an iterable into a list."""
    return list(iter_cast(inputs, dst_type))


def tuple_cast(inputs: Iterable[object], dst_type: type[Item]) -> tuple[Item, ...]:
    """Cast the items of an iterable into a tuple."""
    return tuple(iter_cast(inputs, dst_type))


def concat_list(in_list: Iterable[Iterable[Item]]) -> list[Item]:
    """Concatenate a list of lists."""
    return list(itertools.chain.from_iterable(in_list))


def slice_list(in_list: list[Item], lens: int | list[int]) -> list[list[Item]]:
    """Split a list into lists of given lengths.

    Args:
        in_list: List to split.
        lens: Length of each piece, or a single length of all pieces.

    Raises:
        TypeError: ``lens`` is neither an integer nor a list.
        ValueError: The lengths do not sum to the length of the list.
    """
    total = len(in_list)
    if isinstance(lens, int):
        if lens <= 0 or total % lens:
            raise ValueError(
                f"a list of length {total} cannot be split into pieces of length {lens}"
            )
        lens = [lens] * (total // lens)
    if not isinstance(lens, list):
        raise TypeError(f'"lens" must be an integer or a list of integers, not {lens!r}')
    if sum(lens) != total:
        raise ValueError(f"sum of lens and list length does not match: {sum(lens)} != {total}")
    ends = list(itertools.accumulate(lens))
    return [in_list[end - size : end] for end, size in zip(ends, lens, strict=True)]


def to_ntuple(n: int) -> Callable[[object], Any]:
    """Return a function that repeats a value ``n`` times as a tuple.

    The function returns iterables, strings included, unchanged.
    """

    def convert(x: object) -> object:
        return x if isinstance(x, Iterable) else (x,) * n

    return convert


def to_1tuple(x: object) -> Any:
    """Return ``x`` as a tuple of one value, or ``x`` itself if it is iterable."""
    return to_ntuple(1)(x)


def to_2tuple(x: object) -> Any:
    """Return ``x`` as a tuple of two values, or ``x`` itself if it is iterable."""
    return to_ntuple(2)(x)


def to_3tuple(x: object) -> Any:
    """Return ``x`` as a tuple of three values, or ``x`` itself if it is iterable."""
    return to_ntuple(3)(x)


def to_4tuple(x: object) -> Any:
    """Return ``x`` as a tuple of four values, or ``x`` itself if it is iterable."""
    return to_ntuple(4)(x)
