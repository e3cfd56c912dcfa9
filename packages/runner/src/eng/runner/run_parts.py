"""The parts of every run: model, loop, message hub, optimizer, schedulers, random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeGuard

from torch.optim import Optimizer

from eng.checkpoint import (
    OwnTensors,
    RankBuffers,
    are_shards_kept,
    full_optimizer_state,
    get_state_dict,
    is_shard,
    is_sharded,
    load_full_optimizer_state,
    load_state_dict,
    optimizer_shards,
    put_tensors,
    take_tensors,
)
from eng.dist import gather_object, get_rank, get_world_size
from eng.optim import BaseOptimWrapper, OptimWrapper, OptimWrapperDict, _ParamScheduler
from eng.utils import StateDict

from .batches import ResumableBatches
from .progress import Progress
from .protocol import LoopRunner
from .resume_optimizer import ConfiguredOptimizer, restore_optimizer
from .resume_schedule import ScheduleResume
from .run_state import Part, RunState
from .train_loops import TrainLoop
from .types import PartState, Schedulers

__all__ = ["build_run_state"]


def build_run_state(runner: LoopRunner, nan_loss: Part) -> RunState:
    """Make the table of the parts of a run, in the order in which they are saved and resumed.

    Args:
        runner: The runner.
        nan_loss: Its policy for losses that are NaN, infinite or spikes.

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
    optimizer = OptimizerPart(runner)
    state.add("optimizer", optimizer)
    state.add("param_schedulers", SchedulersPart(runner, optimizer))
    state.add("accumulation", AccumulationPart(runner))
    state.add("nan_loss", nan_loss)
    state.add("random", runner.random_state, per_rank=True, last=True)
    return state


class ModelPart:
    """The weights of the model, by the names that they have without wrappers."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> PartState:
        return get_state_dict(self._runner.model)

    def restore(self, state: PartState) -> None:
        load_state_dict(self._runner.model, state, False, self._runner.logger)


class BuffersPart:
    """Buffers of the model that are each process' own."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> PartState:
        return RankBuffers(self._runner.model).state_dict()

    def restore(self, state: PartState) -> None:
        RankBuffers(self._runner.model).load_state_dict(state)


class MessageHubPart:
    """The message hub, with as much of its histories as the log processor needs."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> StateDict:
        # A third-party log processor may read whole histories.
        needed = getattr(self._runner.log_processor, "entries_needed", None)
        if needed is None:
            return self._runner.message_hub.state_dict()
        return self._runner.message_hub.state_dict(keep=partial(needed, self._runner))

    def restore(self, state: PartState) -> None:
        self._runner.message_hub.load_state_dict(state)


class LoopPart:
    """The loop of training; of a third-party one without a state, its counts."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> StateDict:
        loop: Any = self._runner.train_loop
        if isinstance(loop, TrainLoop):
            return loop.state_dict(point)
        own = loop.state_dict() if hasattr(loop, "state_dict") else {}
        return {**own, "epoch": point.epoch, "iter": point.iter}

    def restore(self, state: StateDict) -> None:
        loop: Any = self._runner.train_loop
        if loop is None:  # the run only evaluates
            return
        if hasattr(loop, "load_state_dict"):
            loop.load_state_dict(state)
        else:
            loop._epoch, loop._iter = state["epoch"], state["iter"]


class DataPart:
    """State of the order of the training data, beside the position in it."""

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> StateDict | None:
        batches = getattr(self._runner.train_loop, "batches", None)
        return batches.state_dict(point) if isinstance(batches, ResumableBatches) else None

    def restore(self, state: StateDict) -> None:
        batches = getattr(self._runner.train_loop, "batches", None)
        if isinstance(batches, ResumableBatches):
            batches.load_state_dict(state)


class OptimizerPart:
    """The optimizer wrapper; of a sharded model, the full state as without sharding.

    While a checkpoint is collected that is saved as a folder, it has the shards of each process,
    by the names of their parameters.
    """

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner
        self._configured: dict[int, ConfiguredOptimizer] = {}

    def configured(self, wrapper: Optimizer | BaseOptimWrapper) -> ConfiguredOptimizer:
        """Return a wrapper's settings by config, and whether a state was loaded since."""
        return self._configured.get(id(wrapper)) or ConfiguredOptimizer.of(wrapper)

    def take(self, point: Progress) -> StateDict | None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "state_dict"):  # none, or a config that was not built yet
            return None
        if isinstance(wrapper, OptimWrapperDict):
            return {name: self._gather_state(each) for name, each in wrapper.items()}
        return self._gather_state(wrapper)

    def restore(self, state: StateDict) -> None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "load_state_dict"):  # the run only evaluates
            return
        if not isinstance(wrapper, OptimWrapperDict):
            self._restore_one(wrapper, state, "optimizer")
            return
        names = set(map(str, state)) - {"type"}
        if names != set(wrapper.keys()):
            self._runner.logger.warning(
                f"optimizer: the checkpoint has the states of {sorted(names)}, the config has "
                f"{sorted(wrapper.keys())}. Those in both are used."
            )
        for name, each in wrapper.items():
            if isinstance(state.get(name), Mapping):
                self._restore_one(each, state[name], f"optimizer {name!r}")

    def restore_nothing(self) -> None:
        """Report that a checkpoint has no state of the optimizer."""
        if hasattr(self._runner.optim_wrapper, "load_state_dict"):
            self._runner.logger.warning(
                "The checkpoint has no state of the optimizer, which starts from scratch."
            )

    def _restore_one(self, wrapper: OptimWrapper, state: StateDict, name: str) -> None:
        sharded = is_sharded(self._runner.model)
        fitting = restore_optimizer(
            wrapper,
            state,
            name,
            self._runner.logger,
            is_sharded=sharded,
            by_config=_follows_config(self._runner),
        )
        self._configured[id(wrapper)] = ConfiguredOptimizer.of(wrapper, fitting is not None)
        if fitting is None:
            return
        if not sharded or _has_shards(fitting):
            wrapper.load_state_dict(fitting)
            return
        load_full_optimizer_state(self._runner.model, wrapper.optimizer, fitting)
        # The rest of the wrapper's state, with its shard of the optimizer's state.
        wrapper.load_state_dict({**fitting, **wrapper.optimizer.state_dict()})

    def _gather_state(self, wrapper: OptimWrapper) -> StateDict:
        """Return the state of a wrapper, with that of its optimizer gathered from all processes."""
        model, optimizer = self._runner.model, wrapper.optimizer
        state = {**wrapper.state_dict(), "type": type(optimizer).__name__}
        if is_sharded(model):
            state.pop("training_weights", None)  # shards of this process
        if are_shards_kept():
            return optimizer_shards(model, optimizer, state)
        if not is_sharded(model):
            return state
        return {**state, **full_optimizer_state(model, optimizer)}


def _has_shards(state: StateDict) -> bool:
    """Whether the state of an optimizer has the shards of this process already."""
    return any(is_shard(value) for each in state["state"].values() for value in each.values())


class AccumulationPart:
    """The cycle of accumulated iterations that is open, with the gradients of each process.

    A checkpoint has gradients only where it is saved inside such a cycle.
    """

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def take(self, point: Progress) -> list[StateDict] | StateDict | None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "accumulation_state"):
            return None
        own = wrapper.accumulation_state()
        if not are_shards_kept():
            return gather_object(own)
        taken = take_tensors({"optimizer": own})
        boxes = gather_object({"state": taken.rest["optimizer"], "paths": taken.paths})
        return {"by_rank": boxes, "gradients": OwnTensors.of(taken.tensors)}

    def restore(self, state: list[StateDict] | StateDict) -> None:
        wrapper = self._runner.optim_wrapper
        if not hasattr(wrapper, "load_accumulation_state"):
            return
        if isinstance(state, dict):
            state = _put_gradients(state)
        if len(state) == get_world_size():
            wrapper.load_accumulation_state(state[get_rank()])
        elif any(_has_gradients(each) for each in state):
            self._runner.logger.warning(
                f"The checkpoint was saved inside a cycle of accumulated iterations by "
                f"{len(state)} processes, now {get_world_size()} run: the gradients of the "
                "open cycle are lost."
            )


def _put_gradients(state: StateDict) -> list[StateDict]:
    """Put the gradients of this process, which it saved by itself, into its state."""
    boxes = [{"optimizer": each["state"]} for each in state["by_rank"]]
    rank = get_rank()
    if state["gradients"] and rank < len(boxes):
        put_tensors(boxes[rank], state["gradients"], state["by_rank"][rank]["paths"])
    return [box["optimizer"] for box in boxes]


def _has_gradients(state: StateDict) -> bool:
    """Whether a state of accumulation, or one of several by name, has gradients."""
    return "gradients" in state or any(
        isinstance(each, dict) and "gradients" in each for each in state.values()
    )


class SchedulersPart:
    """The parameter schedulers: a list, or by the name of their optimizer a list each."""

    def __init__(self, runner: LoopRunner, optimizer: OptimizerPart) -> None:
        self._runner = runner
        self._optimizer = optimizer

    def take(self, point: Progress) -> PartState:
        schedulers = self._runner.param_schedulers
        if not _are_built(schedulers):
            return None
        if isinstance(schedulers, dict):
            return {name: [s.state_dict() for s in group] for name, group in schedulers.items()}
        return [scheduler.state_dict() for scheduler in schedulers]

    def restore(self, state: PartState) -> None:
        schedulers = self._runner.param_schedulers
        if not _are_built(schedulers):
            return
        if isinstance(schedulers, dict):
            saved = state if isinstance(state, Mapping) else {}
            pairs = [(group, saved.get(name, [])) for name, group in schedulers.items()]
        else:
            pairs = [(schedulers, state)]
        for group, each in pairs:
            # States by the name of an optimizer do not match a list.
            self._resume_of(group).restore(group, [] if isinstance(each, Mapping) else each)

    def restore_nothing(self) -> None:
        """Fast-forward schedulers without a state in the checkpoint to the progress of the run."""
        schedulers = self._runner.param_schedulers
        if not _are_built(schedulers):
            return
        self._runner.logger.warning(
            "The checkpoint has no state of parameter schedulers: those of the config are "
            "fast-forwarded to the progress of the run."
        )
        for group in schedulers.values() if isinstance(schedulers, dict) else [schedulers]:
            self._resume_of(group).move(group)

    def _resume_of(self, group: list[_ParamScheduler]) -> ScheduleResume:
        runner = self._runner
        loop = runner.train_loop
        assert loop is not None  # schedulers are built for training alone
        return ScheduleResume(
            by_config=_follows_config(runner),
            configured=self._optimizer.configured(group[0].optimizer),
            loop=loop,
            progress=runner.progress,
            logger=runner.logger,
        )


def _follows_config(runner: LoopRunner) -> bool:
    """Whether changed schedules are those of the config, see :func:`check_resume_schedule`."""
    return bool(runner.cfg.get("resume_schedule", "checkpoint") == "config")


def _are_built(schedulers: object) -> TypeGuard[Schedulers]:
    """Whether schedulers are built, and not missing or configs."""
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    return bool(schedulers) and all(
        isinstance(group, list) and all(hasattr(each, "state_dict") for each in group)
        for group in groups
    )
