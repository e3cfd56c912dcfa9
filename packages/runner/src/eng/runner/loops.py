"""The loops of a run, each built when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, SupportsInt, TypeAlias, TypeVar, cast

from eng.registry import LOOPS, PartConfig

from .arguments import check_loop, check_together
from .base_loop import BaseLoop
from .errors import MissingLoopError
from .eval_loops import TestLoop, ValLoop
from .train_loops import IterBasedTrainLoop, TrainLoop

if TYPE_CHECKING:
    from .types import LoaderOrConfig

__all__ = ["EvalSlot", "LoopAttribute", "LoopSlot", "Loops"]

LoopT = TypeVar("LoopT", bound=BaseLoop)

#: Arguments of the runner for a loop: data loader, loop, and optimizer wrapper or evaluator.
Given: TypeAlias = "tuple[LoaderOrConfig | None, BaseLoop | PartConfig | None, object]"


class _Counts(Protocol):
    """Epochs and iterations that a loop has done."""

    @property
    def epoch(self) -> int:
        """Epochs done."""

    @property
    def iter(self) -> int:
        """Iterations done."""


class _OtherCounts:
    """Counts of a loop that may not have them, as one of a third party, or is not built yet."""

    def __init__(self, loop: BaseLoop | None) -> None:
        self._loop = loop

    @property
    def epoch(self) -> int:
        return getattr(self._loop, "epoch", 0)

    @property
    def iter(self) -> int:
        return getattr(self._loop, "iter", 0)


class LoopSlot(Generic[LoopT]):
    """One loop of a run: a config until it is first used, then the loop; or missing.

    Args:
        mode: ``'train'``, ``'val'`` or ``'test'``.
        partner: Name of the argument that it needs beside ``{mode}_dataloader`` and ``{mode}_cfg``.
        given: These three arguments: all, or None for each.
        build: Builds a loop from its config.

    Raises:
        RunnerConfigError: If some are given and others not, or one is of a kind that it cannot be.
    """

    def __init__(
        self,
        mode: str,
        partner: str,
        given: Given,
        build: Callable[[PartConfig], BaseLoop],
    ) -> None:
        self._mode = mode
        self._names = (f"{mode}_dataloader", f"{mode}_cfg", partner)
        check_together(mode, dict(zip(self._names, given, strict=True)))
        check_loop(f"{mode}_cfg", given[1])
        self._build = build
        self.dataloader, loop, self.partner = given
        self.put(loop)

    def put(self, loop: BaseLoop | PartConfig | None) -> None:
        """Replace the loop.

        Args:
            loop: The loop, the config that it is built from, or None for no loop.
        """
        #: The loop, None while it is not built.
        self.built: LoopT | None = None
        self._config: PartConfig | None = None
        #: Has the epochs and iterations that the loop has done.
        self.counts: _Counts = _OtherCounts(None)
        if isinstance(loop, BaseLoop):
            self._keep(loop)
        else:
            self._config = loop

    def _keep(self, loop: BaseLoop) -> None:
        # A third-party loop need not derive from the class of the slot.
        self.built = cast(LoopT, loop)
        has_counts = hasattr(loop, "epoch") and hasattr(loop, "iter")
        self.counts = cast(_Counts, loop) if has_counts else _OtherCounts(loop)

    def __bool__(self) -> bool:
        """Whether the run has such a loop, built or not."""
        return self.built is not None or self._config is not None

    @property
    def given(self) -> LoopT | PartConfig | None:
        """The loop if it is built, else its config, or None."""
        return self._config if self.built is None else self.built

    def get(self) -> LoopT | None:
        """Return the loop, built now if it was not, or None where the run has none."""
        if self.built is None and self._config is not None:
            self._keep(self._build(self._config))
        return self.built

    def check_given(self, purpose: str) -> None:
        """Refuse a run without such a loop.

        Args:
            purpose: Its purpose, such as ``'to train'``.

        Raises:
            MissingLoopError: If it is missing; names the required arguments.
        """
        if not self:
            first, second, third = self._names
            raise MissingLoopError(
                f"{purpose}, give {first}, {second} and {third}: the runner has no "
                f"{self._mode} loop"
            )

    def require(self, purpose: str) -> LoopT:
        """Return the loop, built now if it was not.

        Args:
            purpose: Its purpose, such as ``'to train'``.

        Returns:
            The loop.

        Raises:
            MissingLoopError: If it is missing; names the required arguments.
        """
        if self.built is not None:
            return self.built
        self.check_given(purpose)
        return cast(LoopT, self.get())

    def setting(self, name: str) -> int | None:
        """Return a setting of the loop, also before it is built.

        Args:
            name: Its name, such as ``'max_epochs'``.

        Returns:
            The attribute of the loop or the value in its config; None if it is missing.
        """
        if self.built is not None:
            return getattr(self.built, name)
        value = None if self._config is None else self._config.get(name)
        # As the loop itself takes it: 3.0 for 3, a number of numpy for one of Python.
        return int(value) if isinstance(value, SupportsInt) and value == int(value) else value


#: The slot of a loop that evaluates.
EvalSlot: TypeAlias = LoopSlot[ValLoop] | LoopSlot[TestLoop]


class Loops:
    """The three loops of a run.

    Args:
        train: Data loader, loop or config, and optimizer wrapper of training, or their configs.
        val: Data loader, loop and evaluator of validation.
        test: Those of testing.
        builders: Builds a loop from its config, for each of the three.

    Raises:
        RunnerConfigError: If only some of the arguments of a loop are given.
    """

    def __init__(
        self,
        train: Given,
        val: Given,
        test: Given,
        builders: Sequence[Callable[[PartConfig], BaseLoop]],
    ) -> None:
        self.train: LoopSlot[TrainLoop] = LoopSlot("train", "optim_wrapper", train, builders[0])
        self.val: LoopSlot[ValLoop] = LoopSlot("val", "val_evaluator", val, builders[1])
        self.test: LoopSlot[TestLoop] = LoopSlot("test", "test_evaluator", test, builders[2])

    @property
    def train_iterations(self) -> int | None:
        """The length of a training by iterations, also before its loop is built.

        None where it trains by epochs, or by a third-party loop.
        """
        loop = self.train.given
        if isinstance(loop, Mapping):
            kind = loop.get("type")
            with LOOPS.switch_scope_and_registry(loop.get("_scope_")) as registry:
                found = registry.get(kind) if isinstance(kind, str) else kind
            is_ours = isinstance(found, type) and issubclass(found, IterBasedTrainLoop)
            is_by_iterations = is_ours if kind is not None else not loop.get("by_epoch", True)
        else:
            is_by_iterations = isinstance(loop, IterBasedTrainLoop)
        length = self.train.setting("max_iters") if is_by_iterations else None
        return length if isinstance(length, int) else None


class _HasLoops(Protocol):
    _loops: Loops


class LoopAttribute:
    """A loop of a runner under the private name by which code of others reads and replaces it.

    Args:
        mode: ``'train'``, ``'val'`` or ``'test'``.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def __get__(self, runner: _HasLoops, owner: object = None) -> object:
        """Return the loop if it is built, else its config, or None without one."""
        return self._slot_of(runner).given

    def __set__(self, runner: _HasLoops, loop: BaseLoop | PartConfig | None) -> None:
        """Replace the loop or its config."""
        self._slot_of(runner).put(loop)

    def _slot_of(self, runner: _HasLoops) -> LoopSlot[Any]:
        slot: LoopSlot[Any] = getattr(runner._loops, self._mode)
        return slot
