"""Random number generators of a process, as plain data."""

from __future__ import annotations

import random
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from eng.utils import StateDict

from .generators import get_python_state, put_python_state

__all__ = ["RandomState", "get_random_state", "seed_apart", "set_random_state"]


class RandomState:
    """The generators of this process, as training sees them.

    Within :meth:`preserved` other code may draw; the state saved there is that of training.
    """

    _latest: weakref.ref[RandomState] | None = None

    def __init__(self) -> None:
        self._preserved: StateDict | None = None
        self._paused: StateDict | None = None
        self.take_turn()

    def take_turn(self) -> None:
        """Continue after another run of this process, whose generators are put aside.

        Runs that take turns draw what each would draw alone.
        """
        latest = RandomState._latest() if RandomState._latest is not None else None
        if latest is self:
            return
        if latest is not None:
            latest._paused = latest.state_dict()
        if self._paused is not None:
            set_random_state(self._paused)
            self._paused = None
        RandomState._latest = weakref.ref(self)

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """Restore the generators after a block that must not affect the random draws of training.

        Yields:
            Nothing.
        """
        outer, self._preserved = self._preserved, self.state_dict()
        try:
            yield
        finally:
            set_random_state(self._preserved)
            self._preserved = outer

    def state_dict(self) -> StateDict:
        """Return the states, see :func:`get_random_state`."""
        return get_random_state() if self._preserved is None else self._preserved

    def load_state_dict(self, state: StateDict) -> None:
        """Restore the generators.

        Args:
            state: State from :meth:`state_dict`.
        """
        set_random_state(state)


def get_random_state(devices: bool = True) -> StateDict:
    """The states of Python's, numpy's and torch's generators.

    Args:
        devices: Whether to include those of all devices. Defaults to True.

    Returns:
        Numbers, strings, lists and tensors, which load with ``weights_only=True``.
    """
    numpy_state: Any = np.random.get_state(legacy=True)
    kind, key, position, has_gauss, cached = numpy_state
    state: StateDict = {
        "python": get_python_state(random),
        "numpy": [kind, torch.from_numpy(key.astype(np.int64)), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
    }
    if devices and torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def seed_apart(seed: int, iteration: int, rank: int) -> None:
    """Seed all generators of a process whose states were not saved, each with other numbers.

    Args:
        seed: The seed of the run.
        iteration: Iterations done.
        rank: Rank of the process.
    """
    random.seed(f"{seed}/{iteration}/{rank}")
    np.random.seed(random.getrandbits(32))
    torch.manual_seed(random.getrandbits(63))


def set_random_state(state: StateDict) -> None:
    """Restore all generators.

    Args:
        state: State from :func:`get_random_state`. That of missing devices is ignored.
    """
    put_python_state(random, state["python"])
    kind, key, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, key.cpu().numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"].cpu())
    saved = state.get("cuda", [])
    if torch.cuda.is_available() and len(saved) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([tensor.cpu() for tensor in saved])
