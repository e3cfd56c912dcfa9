"""Evaluate several named sets of data one after the other, as one evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from torch.utils.data import DataLoader

from eng.dataset import length_of
from eng.evaluator import Evaluator
from eng.utils import DataBatch, override

from .base_loop import BaseLoop
from .eval_loops import EvalLoop, run_between_hooks
from .protocol import LoopRunner

__all__ = ["NamedLoop", "loops_by_name"]


class NamedLoop(BaseLoop):
    """Evaluates named sets, each by a loop of its own, whose metrics get its name as prefix.

    To hooks it is one evaluation: they are called once before and after it, with the metrics of all
    sets, and for the batches of all sets, which are numbered through.

    Args:
        runner: The runner.
        mode: ``'val'`` or ``'test'``.
        loops: The loop of each set by its name.

    Attributes:
        loops: The loops by name.
        dataloader: The data of all sets: their batches one after the other, and the dataset and
            other attributes of the set that is read, or was last.
        evaluator: The metrics of all sets.
    """

    def __init__(self, runner: LoopRunner, mode: str, loops: Mapping[str, EvalLoop]) -> None:
        self._runner = runner
        self.mode = mode
        self.loops = dict(loops)
        self._sets = _Sets(self.loops)
        self.dataloader = cast("DataLoader[DataBatch]", self._sets)
        self.evaluator = _Evaluators(self.loops)

    @property
    def val_loss(self) -> dict[str, float]:
        """Averages of the losses of the model, by name."""
        return self._average_losses()

    @property
    def test_loss(self) -> dict[str, float]:
        """Averages of the losses of the model, by name."""
        return self._average_losses()

    @override
    def reseed(self, seed: int, instead_of: int) -> None:
        """See :meth:`BaseLoop.reseed`."""
        for loop in self.loops.values():
            loop.reseed(seed, instead_of)

    @override
    def run(self) -> dict[str, float]:
        """Go over the data of all sets once.

        Returns:
            Metrics by name, such as ``'indoor/accuracy'``.
        """
        return run_between_hooks(self.runner, self.mode, self._evaluate_all, self._forget_results)

    def _evaluate_all(self) -> dict[str, float]:
        metrics: dict[str, float] = {}
        first = 0
        for name, loop in self.loops.items():
            self._sets.current = loop
            loop.publish_meta()
            found = loop.evaluate_data(first)
            first = loop.batches_seen
            metrics |= {f"{name}/{key}": value for key, value in found.items()}
        return metrics

    def _forget_results(self) -> None:
        for loop in self.loops.values():
            loop.forget_results()

    def _average_losses(self) -> dict[str, float]:
        return {
            f"{name}/{key}": value
            for name, loop in self.loops.items()
            for key, value in getattr(loop, f"{loop.mode}_loss").items()
        }


def loops_by_name(loop: object) -> dict[str, Any]:
    """Return the loops of an evaluation that each read one data loader.

    Args:
        loop: The loop of validation or testing, of any class, or None.

    Returns:
        The loops of a :class:`NamedLoop` by name, another loop under the empty name.
    """
    if isinstance(loop, NamedLoop):
        return dict(loop.loops)
    return {} if loop is None else {"": loop}


class _Sets:
    """The data loaders of all sets, as hooks look at one."""

    def __init__(self, loops: Mapping[str, EvalLoop]) -> None:
        self._loaders = [loop.dataloader for loop in loops.values()]
        #: The loop whose set is read, or was last.
        self.current = next(iter(loops.values()))

    def __len__(self) -> int:
        lengths = [length_of(each) for each in self._loaders]
        known = [each for each in lengths if each is not None]
        if len(known) < len(lengths):
            raise TypeError("the data of a set has no length")
        return sum(known)

    def __iter__(self) -> Iterator[DataBatch]:
        for each in self._loaders:
            yield from each

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "current" not in vars(self):  # being copied
            raise AttributeError(name)
        return getattr(self.current.dataloader, name)


class _Evaluators:
    """The evaluators of all sets, as hooks look at one."""

    def __init__(self, loops: Mapping[str, EvalLoop]) -> None:
        self._evaluators: dict[str, Evaluator] = {
            name: loop.evaluator for name, loop in loops.items()
        }

    @property
    def set_names(self) -> list[str]:
        """Names of the sets, the prefixes of their losses too."""
        return list(self._evaluators)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of all sets."""
        found = [getattr(each, "metrics", []) for each in self._evaluators.values()]
        return [metric for metrics in found for metric in metrics]

    def metric_names(self) -> list[str] | None:
        """Names of all metrics; None if those of one set are unknown."""
        return self._collect("metric_names")

    def metric_prefixes(self) -> list[str]:
        """The prefixes of all metrics, of which each set has at least one."""
        found = []
        for name, evaluator in self._evaluators.items():
            own = _ask(evaluator, "metric_prefixes")
            found += [f"{name}/{each}" for each in own] if own else [name]
        return found

    def _collect(self, method: str) -> list[str] | None:
        found = []
        for name, evaluator in self._evaluators.items():
            own = _ask(evaluator, method)
            if own is None:
                return None
            found += [f"{name}/{each}" for each in own]
        return found


def _ask(evaluator: object, method: str) -> list[str] | None:
    function = getattr(evaluator, method, None)
    return function() if callable(function) else None
