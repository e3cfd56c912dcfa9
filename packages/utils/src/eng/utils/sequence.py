"""Type checks and casts of sequences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

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


def is_str(x: object) -> bool:
    """Return whether ``x`` is a string; ``isinstance(x, str)`` says the same."""
    return isinstance(x, str)


def is_seq_of(
    seq: object,
    expected_type: type | tuple[type, ...],
    seq_type: type | None = None,
) -> bool:
    """Return whether ``seq`` is a sequence whose items are all of a type.

    Args:
        seq: Object to check.
        expected_type: Type of the items, or several.
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
        raise ArgumentTypeError(f"seq_type must be a type, but it is {seq_type!r}")
    return isinstance(seq, seq_type) and all(isinstance(item, expected_type) for item in seq)  # type: ignore[attr-defined]


def is_list_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether ``seq`` is a list whose items are all of a type."""
    return is_seq_of(seq, expected_type, seq_type=list)


def is_tuple_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether ``seq`` is a tuple whose items are all of a type."""
    return is_seq_of(seq, expected_type, seq_type=tuple)


def iter_cast(inputs: Iterable[Any], dst_type: type, return_type: type | None = None) -> Any:
    """Cast the items of an iterable.

    Args:
        inputs: What to cast.
        dst_type: Type of the items.
        return_type: Type that holds the result. Default: an iterator.

    Raises:
        TypeError: ``inputs`` is not iterable, or ``dst_type`` is not a type.
    """
    if not isinstance(inputs, Iterable):
        raise TypeError(f"inputs must be an iterable object, not {type(inputs).__name__}")
    if not isinstance(dst_type, type):
        raise TypeError(f'"dst_type" must be a valid type, not {dst_type!r}')
    items = map(dst_type, inputs)
    return items if return_type is None else return_type(items)


def list_cast(inputs: Iterable[Any], dst_type: type) -> list[Any]:
    """Cast the items of an iterable into a list."""
    return iter_cast(inputs, dst_type, return_type=list)


def tuple_cast(inputs: Iterable[Any], dst_type: type) -> tuple[Any, ...]:
    """Cast the items of an iterable into a tuple."""
    return iter_cast(inputs, dst_type, return_type=tuple)


def concat_list(in_list: Iterable[Iterable[Any]]) -> list[Any]:
    """Join a list of lists into one list."""
    return list(itertools.chain.from_iterable(in_list))


def slice_list(in_list: list[Any], lens: int | list[int]) -> list[list[Any]]:
    """Cut a list into lists of given lengths.

    Args:
        in_list: List to cut.
        lens: Length of each piece; a single number cuts equal pieces.

    Raises:
        TypeError: ``lens`` is neither a number nor a list.
        ValueError: The lengths do not add up to that of the list.
    """
    total = len(in_list)
    if isinstance(lens, int):
        if lens <= 0 or total % lens:
            raise ValueError(f"a list of length {total} cannot be cut into pieces of {lens}")
        lens = [lens] * (total // lens)
    if not isinstance(lens, list):
        raise TypeError(f'"lens" must be an integer or a list of integers, not {lens!r}')
    if sum(lens) != total:
        raise ValueError(f"sum of lens and list length does not match: {sum(lens)} != {total}")
    ends = list(itertools.accumulate(lens))
    return [in_list[end - size : end] for end, size in zip(ends, lens, strict=True)]


def to_ntuple(n: int) -> Callable[[Any], Any]:
    """Return a function that repeats a value ``n`` times as a tuple.

    What is iterable already, a string included, is handed back as it is.
    """

    def convert(x: Any) -> Any:
        return x if isinstance(x, Iterable) else (x,) * n

    return convert


def to_1tuple(x: Any) -> Any:
    """Return a tuple of one value: ``x`` repeated, or ``x`` itself where it is iterable."""
    return to_ntuple(1)(x)


def to_2tuple(x: Any) -> Any:
    """Return a tuple of two values: ``x`` repeated, or ``x`` itself where it is iterable."""
    return to_ntuple(2)(x)


def to_3tuple(x: Any) -> Any:
    """Return a tuple of three values: ``x`` repeated, or ``x`` itself where it is iterable."""
    return to_ntuple(3)(x)


def to_4tuple(x: Any) -> Any:
    """Return a tuple of four values: ``x`` repeated, or ``x`` itself where it is iterable."""
    return to_ntuple(4)(x)
