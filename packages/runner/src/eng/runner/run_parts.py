"""The parts of every run: model, loop, message hub, optimizer, schedulers, random numbers."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

from eng.checkpoint import (
    CheckpointError,
    RankBuffers,
    full_optimizer_state,
    get_state_dict,
    is_sharded,
    load_full_optimizer_state,
    load_state_dict,
)
from eng.dist import gather_object, get_rank, get_world_size
from eng.optim import OptimWrapper, OptimWrapperDict

from .batches import ResumableBatches
from .progress import Progress
from .protocol import LoopRunner
from .run_state import RunState
from .train_loops import TrainLoop

__all__ = ["build_run_state"]


def build_run_state(runner: LoopRunner) -> RunState:
    """Make the table of the parts of a run, in the order in which they are saved and resumed.

    Args:
        runner: The runner.

    Returns:
        The table, to which hooks and users may add parts. The random numbers are restored
        last, so that nothing that is restored draws of them.
    """
    state = RunState()
    state.add("model", ModelPart(runner))
    state.add("buffers", BuffersPart(runner), per_rank=True)
    state.add("loop", LoopPart(runner))
    state.add("data", DataPart(runner), per_rank=True)
    state.add("message_hub", MessageHubPart(runner))
    state.add("optimizer", OptimizerPart(runner))
    state.add("param_schedulers", SchedulersPart(runner))
    state.add("accumulation", AccumulationPart(runner))
    state.add("random", runner.random_state, per_rank=True, last=True)
    return state


class ModelPart:
    """The weights of the model, by the names that they have without wrappers."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> Any:
        return get_state_dict(self._runner.model)

    def restore(self, state: Any) -> None:
        load_state_dict(self._runner.model, state, False, self._runner.logger)


class BuffersPart:
    """Buffers of the model that are each process' own."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> Any:
        return RankBuffers(self._runner.model).state_dict()

    def restore(self, state: Any) -> None:
        RankBuffers(self._runner.model).load_state_dict(state)


class MessageHubPart:
    """The message hub; of its histories what the log processor needs, so that it stays small."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> dict[str, Any]:
        # One of somebody else may look at whole histories.
        needed = getattr(self._runner.log_processor, "entries_needed", None)
        if needed is None:
            return self._runner.message_hub.state_dict()
        return self._runner.message_hub.state_dict(keep=partial(needed, self._runner))

    def restore(self, state: Any) -> None:
        self._runner.message_hub.load_state_dict(state)


class LoopPart:
    """The loop of training; of a foreign one that has no state, its counts."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> dict[str, Any]:
        loop: Any = self._runner.train_loop
        if isinstance(loop, TrainLoop):
            return loop.state_dict(point)
        own = loop.state_dict() if hasattr(loop, "state_dict") else {}
        return {**own, "epoch": point.epoch, "iter": point.iter}

    def restore(self, state: dict[str, Any]) -> None:
        loop: Any = self._runner.train_loop
        if loop is None:  # the run only evaluates
            return
        if hasattr(loop, "load_state_dict"):
            loop.load_state_dict(state)
        else:
            loop._epoch, loop._iter = state["epoch"], state["iter"]


class DataPart:
    """What the order of the training data depends on beside the position in it."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> dict[str, Any] | None:
        batches = getattr(self._runner.train_loop, "batches", None)
        return batches.state_dict(point) if isinstance(batches, ResumableBatches) else None

    def restore(self, state: dict[str, Any]) -> None:
        batches = getattr(self._runner.train_loop, "batches", None)
        if isinstance(batches, ResumableBatches):
            batches.load_state_dict(state)


class OptimizerPart:
    """The optimizer wrapper; of a sharded model, whole and as it would be without sharding."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> dict[str, Any] | None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "state_dict"):  # none, or a config that was not built yet
            return None
        if not is_sharded(self._runner.model):
            state: dict[str, Any] = wrapper.state_dict()
            return state
        if isinstance(wrapper, OptimWrapperDict):
            return {name: self._gather(each) for name, each in wrapper.items()}
        return self._gather(wrapper)

    def restore(self, state: dict[str, Any]) -> None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "load_state_dict"):  # the run only evaluates
            return
        if not is_sharded(self._runner.model):
            wrapper.load_state_dict(state)
            return
        pairs = [(wrapper, state)]
        if isinstance(wrapper, OptimWrapperDict):
            pairs = [(each, state[name]) for name, each in wrapper.items() if name in state]
        for each, saved in pairs:
            load_full_optimizer_state(self._runner.model, each.optimizer, saved)
            # What else the wrapper saves, with its part of the optimizer's state as it has it now.
            each.load_state_dict({**saved, **each.optimizer.state_dict()})

    def _gather(self, wrapper: OptimWrapper) -> dict[str, Any]:
        """What a wrapper saves, with the state of its optimizer put together from all processes."""
        whole = full_optimizer_state(self._runner.model, wrapper.optimizer)
        return {**wrapper.state_dict(), **whole}


class AccumulationPart:
    """The cycle of accumulated iterations that is open, with the gradients of each process.

    A checkpoint has gradients only where it is saved inside such a cycle.
    """

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> list[Any] | None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "accumulation_state"):
            return None
        return gather_object(wrapper.accumulation_state())

    def restore(self, state: list[Any]) -> None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "load_accumulation_state"):
            return
        if len(state) == get_world_size():
            wrapper.load_accumulation_state(state[get_rank()])
        elif any(_gradients_in(each) for each in state):
            self._runner.logger.warning(
                f"The checkpoint was saved inside a cycle of accumulated iterations by "
                f"{len(state)} processes, now there are {get_world_size()}: the gradients of the "
                "open cycle are lost."
            )


def _gradients_in(state: dict[str, Any]) -> bool:
    """Whether a state of accumulation, or one of several by name, has gradients."""
    return "gradients" in state or any(
        isinstance(each, dict) and "gradients" in each for each in state.values()
    )


class SchedulersPart:
    """The parameter schedulers: a list, or by the name of their optimizer a list each."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> Any:
        schedulers = self._runner.param_schedulers
        if not _are_built(schedulers):
            return None
        if isinstance(schedulers, dict):
            return {name: [s.state_dict() for s in group] for name, group in schedulers.items()}
        return [scheduler.state_dict() for scheduler in schedulers]

    def restore(self, state: Any) -> None:
        schedulers = self._runner.param_schedulers
        if not _are_built(schedulers):
            return
        pairs = [(schedulers, state)]
        if isinstance(schedulers, dict):
            pairs = [(schedulers[name], state[name]) for name in schedulers if name in state]
        for group, saved in pairs:
            if len(group) != len(saved):
                raise CheckpointError(
                    f"the checkpoint has the state of {len(saved)} parameter schedulers, "
                    f"the config has {len(group)}"
                )
            for scheduler, each in zip(group, saved, strict=True):
                scheduler.load_state_dict(copy.deepcopy(each))


def _are_built(schedulers: Any) -> bool:
    """Whether there are schedulers, and not configs of them that were not built yet."""
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    return bool(schedulers) and all(
        isinstance(group, list) and all(hasattr(each, "state_dict") for each in group)
        for group in groups
    )
