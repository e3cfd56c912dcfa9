"""The state of a run as named parts, which saving and resuming walk in the same order."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from eng.dist import all_gather_object, get_rank
from eng.logging import print_log

from .progress import Progress

__all__ = ["Part", "RunState", "Stateful"]


class Stateful(Protocol):
    """Anything that has a state, as torch's optimizers, schedulers and modules do."""

    def state_dict(self) -> Any:
        """Return the state as plain data and tensors."""

    def load_state_dict(self, state_dict: Any) -> Any:
        """Continue from a state."""


class Part(Protocol):
    """A part of a run's state."""

    def take(self, point: Progress) -> Any:
        """Return the state as it belongs to a point of training; None leaves it out.

        Called in all processes in the same order, so that they may exchange what they have. The
        result may share memory with the part: who writes it later makes copies.
        """

    def restore(self, state: Any) -> None:
        """Continue from a state."""


class StatefulPart:
    """An object with ``state_dict`` and ``load_state_dict`` as a part."""

    def __init__(self, owner: Stateful) -> None:
        self._owner = owner

    def take(self, point: Progress) -> Any:
        return self._owner.state_dict()

    def restore(self, state: Any) -> None:
        self._owner.load_state_dict(state)


class PerRankPart:
    """A part of which every process has its own: states of all processes by rank."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def take(self, point: Progress) -> list[Any]:
        return all_gather_object(self._part.take(point))

    def restore(self, state: list[Any]) -> None:
        if get_rank() < len(state):  # fewer where it was saved by fewer processes
            self._part.restore(state[get_rank()])


class RunState:
    """A table of named parts.

    Examples:
        >>> class Counter:
        ...     count = 3
        ...     def state_dict(self):
        ...         return {"count": self.count}
        ...     def load_state_dict(self, state):
        ...         self.count = state["count"]
        >>> state = RunState()
        >>> counter = Counter()
        >>> state.add("counter", counter)
        >>> saved = state.take(Progress())
        >>> counter.count = 7
        >>> state.restore(saved)
        >>> counter.count
        3
    """

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def add(self, name: str, owner: Stateful | Part, *, per_rank: bool = False) -> None:
        """Add a part.

        Args:
            name: Its name in checkpoints.
            owner: An object with ``state_dict`` and ``load_state_dict``, or a :class:`Part`.
            per_rank: Whether every process has a state of its own. Defaults to False: that of the
                first process is saved.

        Raises:
            ValueError: If another part has the name.
            TypeError: If the object has no state.
        """
        if name in self._parts:
            raise ValueError(f"the state of the run has a part {name!r} already")
        part: Any = owner
        if not hasattr(owner, "take"):
            missing = [m for m in ("state_dict", "load_state_dict") if not hasattr(owner, m)]
            if missing:
                kind = type(owner).__name__
                raise TypeError(f"part {name!r} must have {' and '.join(missing)}; {kind} has not")
            part = StatefulPart(part)
        self._parts[name] = PerRankPart(part) if per_rank else part

    def take(self, point: Progress, leave_out: Collection[str] = ()) -> dict[str, Any]:
        """Return the states of all parts. To be called in all processes.

        Args:
            point: The point of training that they are to stand for.
            leave_out: Names of parts that are not asked. Defaults to none.

        Returns:
            States by name, the same names in every process, without parts that have none now.
        """
        states = {n: part.take(point) for n, part in self._parts.items() if n not in leave_out}
        return {name: state for name, state in states.items() if state is not None}

    def restore(self, states: Mapping[str, Any], leave_out: Collection[str] = ()) -> None:
        """Continue from the states of another run.

        Args:
            states: What :meth:`take` returned. A part without a state there stays as it is; a
                state of no part is reported in one line.
            leave_out: Names of parts that stay as they are. Defaults to none.
        """
        for name, part in self._parts.items():
            if name in states and name not in leave_out:
                part.restore(states[name])
        unexpected = sorted(set(states) - set(self._parts))
        if unexpected:
            print_log(
                f"The checkpoint has the state of {unexpected}, which this run has not.",
                logger="current",
                level=logging.WARNING,
            )
