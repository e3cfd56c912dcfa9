"""Values held against annotations."""

# ruff: noqa: UP007, UP045

from __future__ import annotations

import collections.abc as abc
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypeVar, Union

import pytest

from eng.utils import Mismatch, find_mismatches, is_plain_annotation, read_hints

T = TypeVar("T")
Size = NewType("Size", int)


class Sized(Protocol):
    def size(self) -> int: ...


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, int),
        (1, float),
        (True, bool),
        (None, None),
        (None, Optional[int]),
        (1, int | None),
        ("a", Literal["a", 1]),
        ([1, "a"], list[int | str]),
        ([1], list),
        ([1, 2], tuple[int, ...]),
        ([1, "a"], tuple[int, str]),
        ((1,), list[int]),
        ([1], set[int]),
        ([1], abc.Sequence[int]),
        ([1], abc.Iterable[int]),
        ("ab", abc.Sequence[str]),
        ({"a": [1]}, dict[str, list[int]]),
        ({"a": 1}, abc.Mapping[str, int]),
        ("x", Path),
        ("x", str | Path),
        (len, abc.Callable[..., int]),
        (int, type[int]),
        (3, Size),
        (3, Annotated[int, "positive"]),
        ("anything", T),
        ("anything", Sized),
        ("anything", Any),
        ("anything", object),
        ("anything", "an.unresolved.name"),
    ],
)
def test_what_fits_has_no_mismatch(value: object, annotation: Any) -> None:
    assert list(find_mismatches(value, annotation)) == []


@pytest.mark.parametrize(
    ("value", "annotation", "path", "message"),
    [
        ("x", int, "", "must be an int, not 'x'"),
        (1.5, int, "", "must be an int, not 1.5"),
        ("x", Optional[float], "", "must be a float or None, not 'x'"),
        (None, Union[int, str], "", "must be an int or a str, not None"),
        ("b", Literal["a", 1], "", "must be 'a' or 1, not 'b'"),
        (True, Literal[1], "", "must be 1, not True"),
        (["a"], list[int], "0", "must be an int, not 'a'"),
        ("abc", list[str], "", "must be a list, not 'abc'"),
        ([1], tuple[int, int], "", "must have 2 items, not 1"),
        ({"a": {"b": "c"}}, dict[str, dict[str, int]], "a.b", "must be an int, not 'c'"),
        ({1: 2}, dict[str, int], "1", "the key must be a str, not 1"),
        ({"a": [1, "x"]}, dict[str, list[int]] | None, "a.1", "must be an int, not 'x'"),
        ("x", Size, "", "must be an int, not 'x'"),
        (len, int, "", "must be an int, not a builtin_function_or_method"),
        ("x" * 100, int, "", f"must be an int, not '{'x' * 56}..."),
    ],
)
def test_what_does_not_fit_is_named(
    value: object, annotation: Any, path: str, message: str
) -> None:
    keys = tuple(path.split(".")) if path else ()
    assert list(find_mismatches(value, annotation)) == [Mismatch(keys, message)]


@pytest.mark.parametrize(
    ("annotation", "is_plain"),
    [
        (int, True),
        (Optional[float], True),
        (list[int] | None, True),
        (tuple[int, ...], True),
        (Literal["a"], True),
        (dict[str, list[int]], True),
        (Any, False),
        (Path, False),
        (list[Path], False),
        (Sized, False),
        (float | Path, False),
        (abc.Callable[..., int], False),
        ("int", False),
        (T, False),
    ],
)
def test_plain_annotations(annotation: Any, is_plain: bool) -> None:
    assert is_plain_annotation(annotation) is is_plain


class Base:
    size: int


class Derived(Base):
    other: Missing  # type: ignore[name-defined]  # noqa: F821
    name: str | None


def annotated(size: int, other: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
    pass


def test_annotations_that_cannot_be_resolved_are_left_out() -> None:
    assert read_hints(Derived) == {"size": int, "name": str | None}
    assert read_hints(annotated) == {"size": int, "return": type(None)}
    assert read_hints(len) == {}
