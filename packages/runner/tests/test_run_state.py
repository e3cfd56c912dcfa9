"""The table of named parts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eng.runner.progress import Progress
from eng.runner.run_state import RunState


class Counter:
    def __init__(self, count: int = 0) -> None:
        self.count = count

    def state_dict(self) -> dict[str, int]:
        return {"count": self.count}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.count = state_dict["count"]


class AtIteration:
    """A part that wants to know the point of training, and has a state only at even ones."""

    loaded: Any = None

    def take(self, point: Progress) -> Any:
        return None if point.iter % 2 else {"iter": point.iter}

    def restore(self, state: Any) -> None:
        self.loaded = state


def test_parts_are_taken_and_restored_by_name() -> None:
    state, first, second = RunState(), Counter(1), Counter(2)
    state.add("first", first)
    state.add("second", second)
    saved = state.take(Progress())
    first.count = second.count = 9
    state.restore(saved)
    assert (first.count, second.count) == (1, 2)
    assert list(state) == list(saved) == ["first", "second"]


def test_parts_may_be_left_out() -> None:
    state, first, second = RunState(), Counter(1), Counter(2)
    state.add("first", first)
    state.add("second", second)
    assert state.take(Progress(), leave_out=["first"]) == {"second": {"count": 2}}
    state.restore({"first": {"count": 5}, "second": {"count": 6}}, leave_out=["second"])
    assert (first.count, second.count) == (5, 2)


def test_a_part_may_have_no_state_at_times() -> None:
    state, part = RunState(), AtIteration()
    state.add("part", part)
    assert state.take(Progress(iter=3)) == {}
    saved = state.take(Progress(iter=4))
    state.restore(saved)
    assert part.loaded == {"iter": 4}


def test_a_state_of_every_process() -> None:
    state, counter = RunState(), Counter(3)
    state.add("counter", counter, per_rank=True)
    assert state.take(Progress()) == {"counter": [{"count": 3}]}
    state.restore({"counter": [{"count": 7}, {"count": 8}]})
    assert counter.count == 7
    state.restore({"counter": []})
    state.restore({"counter": [None]})
    assert counter.count == 7


def test_parts_of_which_no_process_has_a_state_are_left_out() -> None:
    state, part = RunState(), AtIteration()
    state.add("part", part, per_rank=True)
    assert state.take(Progress(iter=3)) == {}
    assert state.take(Progress(iter=4)) == {"part": [{"iter": 4}]}


def test_the_last_part_is_restored_last() -> None:
    state, order = RunState(), []

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name

        def take(self, point: Progress) -> int:
            return 1

        def restore(self, state: Any) -> None:
            order.append(self.name)

    state.add("first", Part("first"))
    state.add("random", Part("random"), last=True)
    state.add("second", Part("second"))
    state.restore(state.take(Progress()))
    assert order == list(state) == ["first", "second", "random"]


def test_adding_the_same_object_again_changes_nothing() -> None:
    state, counter = RunState(), Counter()
    state.add("counter", counter)
    state.add("counter", counter)
    assert list(state) == ["counter"]


def test_bad_parts_are_named() -> None:
    state = RunState()
    state.add("counter", Counter())
    with pytest.raises(ValueError, match="'counter' already"):
        state.add("counter", Counter())
    for owner, kind in ((3, "int"), (SimpleNamespace(take=print), "SimpleNamespace")):
        words = f"part 'x' must have state_dict and load_state_dict; missing in {kind}: state_dict"
        with pytest.raises(TypeError, match=words):
            state.add("x", owner)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name of a part must be a str, not 3"):
        state.add(3, Counter())  # type: ignore[arg-type]
