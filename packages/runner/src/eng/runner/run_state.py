"""The state of a run as named parts, which saving and resuming walk in the same order."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Protocol, TypeGuard

from eng.checkpoint import CheckpointError
from eng.dist import all_gather_object, gather_object, get_data_rank, keep_data_ranks
from eng.logging import print_log
from eng.utils import StateDict

from .progress import Progress
from .types import PartState

__all__ = ["Part", "RunState", "Stateful"]


class Stateful(Protocol):
    """Anything that has a state, as torch's optimizers, schedulers and modules do."""

    def state_dict(self) -> PartState:
        """Return the state as plain data and tensors."""

    def load_state_dict(self, state_dict: PartState, /) -> object:
        """Continue from a state."""


class Part(Protocol):
    """A part of a run's state."""

    def take(self, point: Progress) -> PartState:
        """Return the state as it belongs to a point of training; None leaves it out.

        Called in all processes in the same order, so that they may communicate. The
        result may share memory with the part: a later writer makes copies.
        """

    def restore(self, state: PartState) -> None:
        """Continue from a state.

        A part may have ``restore_nothing()`` as well, which is called where a checkpoint has no
        state of it.
        """


class StatefulPart:
    """An object with ``state_dict`` and ``load_state_dict`` as a part."""

    def __init__(self, owner: Stateful) -> None:
        self._owner = owner

    def take(self, point: Progress) -> PartState:
        return self._owner.state_dict()

    def restore(self, state: PartState) -> None:
        self._owner.load_state_dict(state)


class PerRankPart:
    """A part of which every process has its own: states of all processes by data rank.

    Processes that take the same samples share their state, as well as their random numbers.
    """

    def __init__(self, part: Part) -> None:
        self._part = part

    def take(self, point: Progress) -> list[PartState] | None:
        states = gather_object(self._part.take(point))
        if states is None or all(state is None for state in states):
            return None
        return keep_data_ranks(states)

    def restore(self, state: list[PartState]) -> None:
        rank = get_data_rank()
        if rank < len(state) and state[rank] is not None:  # fewer if saved by fewer processes
            self._part.restore(state[rank])


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
        self._owners: dict[str, Stateful | Part] = {}
        self._last: set[str] = set()
        #: States of the resumed checkpoint without a matching part.
        self._unclaimed: StateDict = {}

    def __iter__(self) -> Iterator[str]:
        """Names of the parts in the order in which they are restored."""
        return iter(sorted(self._parts, key=self._last.__contains__))

    def add(
        self, name: str, owner: Stateful | Part, *, per_rank: bool = False, last: bool = False
    ) -> None:
        """Add a part. Adding the same object again changes nothing.

        A part that is added after the run was resumed continues at once from its state in that
        checkpoint.

        Args:
            name: Its name in checkpoints.
            owner: An object with ``state_dict`` and ``load_state_dict``, or a ``Part``, which has
                functions instead.
            per_rank: Whether every process has its own state. Defaults to False: that of the
                first process is saved.
            last: Whether it is restored after all that are not. Defaults to False.

        Raises:
            ValueError: If another part has the name.
            TypeError: If the object has no state, or the name is not a str.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a part must be a str, not {name!r}")
        if self._owners.get(name) is owner:
            return
        if name in self._parts:
            raise ValueError(f"the state of the run has a part {name!r} already")
        part = _as_part(name, owner)
        self._parts[name] = PerRankPart(part) if per_rank else part
        self._owners[name] = owner
        self._last.update([name] if last else [])
        if name in self._unclaimed:
            self._parts[name].restore(self._unclaimed.pop(name))

    def take(self, point: Progress, leave_out: Collection[str] = ()) -> StateDict:
        """Return the states of all parts. To be called in all processes.

        Args:
            point: The point of training that they belong to.
            leave_out: Names of parts that are not asked. Defaults to none.

        Returns:
            States by name, without parts that have none now. The names are the same in every
            process; where only another one has a state, it is None.
        """
        states = {name: self._parts[name].take(point) for name in self if name not in leave_out}
        present = {name for name, state in states.items() if state is not None}
        wanted = set().union(*all_gather_object(present))
        return {name: state for name, state in states.items() if name in wanted}

    def restore(
        self,
        states: Mapping[str, PartState],
        leave_out: Collection[str] = (),
        foreign_file: str | None = None,
    ) -> None:
        """Continue from the states of another run.

        Args:
            states: States from :meth:`take`. A part without a state stays as it is; a state without
                a part is reported in one line and kept for a part that is added later.
            leave_out: Names of parts that stay as they are. Defaults to none.
            foreign_file: File of another engine that the states come from, whose structure is not
                checked yet. Defaults to None.

        Raises:
            CheckpointError: If a state of ``foreign_file`` does not have the structure of its part.
        """
        for name in self:
            if name in leave_out:
                continue
            if states.get(name) is not None:
                with nullcontext() if foreign_file is None else _name_part(name, foreign_file):
                    self._parts[name].restore(states[name])
            else:
                getattr(self._parts[name], "restore_nothing", lambda: None)()
        self._unclaimed = {name: s for name, s in states.items() if name not in self._parts}
        if self._unclaimed:
            print_log(
                f"Unexpected states in the checkpoint: {sorted(self._unclaimed)}. A part that is "
                "added under such a name resumes from it.",
                logger="current",
                level=logging.WARNING,
            )


@contextmanager
def _name_part(part: str, file: str) -> Iterator[None]:
    """Name the part of a file that cannot be restored."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{part!r} in {file} does not have the structure that MMEngine saves, and cannot be "
            f"resumed from ({type(error).__name__}: {error}). Its weights alone can be loaded by "
            "load_from without resume"
        ) from error


def _as_part(name: str, owner: Stateful | Part) -> Part:
    if _is_part(owner):
        return owner
    if not _is_stateful(owner):
        methods = ("state_dict", "load_state_dict")
        missing = [method for method in methods if not hasattr(owner, method)]
        kind = type(owner).__name__
        raise TypeError(
            f"part {name!r} must have {' and '.join(methods)}; missing in {kind}: "
            f"{', '.join(missing)}"
        )
    return StatefulPart(owner)


def _is_part(owner: object) -> TypeGuard[Part]:
    return hasattr(owner, "take") and hasattr(owner, "restore")


def _is_stateful(owner: object) -> TypeGuard[Stateful]:
    return hasattr(owner, "state_dict") and hasattr(owner, "load_state_dict")
