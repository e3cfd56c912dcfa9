"""Configs held against the signatures of what they build."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import pytest

from eng.registry import Problem, Registry, check_arguments, check_part, read_parameters

PARTS = Registry("part", scope="eng")


@PARTS.register_module()
class Closed:
    def __init__(self, depth: int, width: float = 1.0, *, name: str = None) -> None:  # type: ignore[assignment]  # noqa: RUF013
        self.depth = depth


@PARTS.register_module()
class PassesOn(Closed):
    def __init__(self, extra: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@PARTS.register_module()
class ReadsMore(Closed):
    def __init__(self, **kwargs: Any) -> None:
        self.more = kwargs.pop("more", None)
        super().__init__(**kwargs)


@PARTS.register_module()
class Inherits(PassesOn):
    pass


@PARTS.register_module()
class TakesNothing:
    pass


@PARTS.register_module()
class MadeElsewhere(NamedTuple):
    size: int


def renamed(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        kwargs["depth"] = kwargs.pop("old_depth", 0)
        return function(*args, **kwargs)

    return wrapper


@PARTS.register_module()
class Renamed(Closed):
    __init__ = renamed(Closed.__init__)


@PARTS.register_module()
def build(size: int | None, items: list[str] = []) -> None:  # noqa: B006
    pass


@PARTS.register_module()
def partly(other: Missing, size: int = 1) -> None:  # type: ignore[name-defined]  # noqa: F821
    pass


@pytest.mark.parametrize(
    "cfg",
    [
        dict(type="Closed", depth=1),
        dict(type="Closed", depth=1, width=2, name=None, _scope_="eng"),
        dict(type=Closed, depth=1),
        dict(type="PassesOn", extra=True, depth=1, width=1.5),
        dict(type="Inherits", depth=1),
        dict(type="ReadsMore", more=1, anything=2, depth=1),
        dict(type="Renamed", old_depth=3),
        dict(type="TakesNothing"),
        dict(type="MadeElsewhere", size=1),
        dict(type="MadeElsewhere"),
        dict(type="build", size=None, items=["a"]),
        dict(type="build", size=0.5, items=None),
        dict(type="build", size=[3], items={"a": 1}),
        dict(type="partly", other=object()),
        dict(type=functools.partial(Closed, depth=1)),
        dict(type="fractions.Fraction", numerator=1),
    ],
)
def test_what_can_be_built_has_no_problem(cfg: dict[str, Any]) -> None:
    assert check_part(cfg, PARTS) == []


@pytest.mark.parametrize(
    ("cfg", "path", "message", "is_certain"),
    [
        (dict(depth=1), (), "a 'type' is missing", True),
        (dict(type=3), ("type",), "type must be a name or a class, not 3", True),
        (dict(type="Closd", depth=1), ("type",), "Closd is not in the eng::part", True),
        (
            dict(type="Closed", depht=1),
            ("depht",),
            "Closed has no argument 'depht'; did you mean 'depth'?",
            True,
        ),
        (
            dict(type="Closed", depth=1, DEPTH=1),
            ("DEPTH",),
            "Closed has no argument 'DEPTH'; did you mean 'depth'?",
            True,
        ),
        (
            dict(type="Closed", depth=1, zzz=1),
            ("zzz",),
            "Closed has no argument 'zzz'; it takes depth, width, name",
            True,
        ),
        (dict(type="Closed"), (), "Closed needs the argument 'depth'", True),
        (
            dict(type="PassesOn", depth=1, widht=1),
            ("widht",),
            "PassesOn has no argument 'widht'; did you mean 'width'?",
            True,
        ),
        (
            dict(type="ReadsMore", depth=1, widht=1),
            ("widht",),
            "ReadsMore has no argument 'widht'; did you mean 'width'?",
            False,
        ),
        (
            dict(type="TakesNothing", a=1),
            ("a",),
            "TakesNothing has no argument 'a'; it takes none",
            True,
        ),
        (dict(type="Closed", depth="x"), ("depth",), "must be an int, not 'x'", False),
        (dict(type="PassesOn", width="x"), ("width",), "must be a float, not 'x'", False),
        (dict(type="build", size=1, items="a"), ("items",), "must be a list, not 'a'", False),
    ],
)
def test_a_mistake_is_named(
    cfg: dict[str, Any], path: tuple[str, ...], message: str, is_certain: bool
) -> None:
    (found,) = check_part(cfg, PARTS)
    assert (found.path, found.is_certain) == (path, is_certain)
    assert found.message.startswith(message)


def test_all_mistakes_are_found_at_once() -> None:
    found = check_part(dict(type="Closed", widht=1, nam="x"), PARTS)
    assert [each.path for each in found] == [("widht",), ("nam",), ()]


def test_what_the_builder_adds_and_removes_is_respected() -> None:
    cfg = dict(type="Closed", priority="LOW")
    assert check_part(cfg, PARTS, given=("depth",), taken=("priority",)) == []
    assert check_arguments(Closed, {}, only_names=True) == []
    assert check_arguments(Closed, dict(a=1), only_names=True) == [
        Problem(("a",), "Closed has no argument 'a'; it takes depth, width, name")
    ]


def test_parameters_of_what_has_no_signature() -> None:
    assert read_parameters(dict.fromkeys).first is None
    assert read_parameters(sum).named.keys() == {"start"}
    assert read_parameters(type("Meta", (type,), {"__call__": None})("Made", (), {})).is_open
    assert read_parameters(Closed).first == "depth"


def test_nothing_is_built() -> None:
    class Fails:
        def __init__(self, a: int) -> None:
            raise AssertionError

    assert check_part(dict(type=Fails, a=1), PARTS) == []
