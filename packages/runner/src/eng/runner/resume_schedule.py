"""Restore parameter schedulers, or fast-forward them to the progress of the run."""

from __future__ import annotations

import copy
import heapq
import logging
from collections.abc import Iterator, Mapping, Sequence

from eng.optim import _ParamScheduler
from eng.utils import StateDict

from .builders.optim import TrainingLength, end_of_training
from .progress import Progress
from .resume_optimizer import ConfiguredOptimizer

__all__ = ["ScheduleResume"]


class ScheduleResume:
    """Resumes the schedulers of one optimizer.

    Args:
        by_config: Whether settings that differ are those of the config, instead of the
            checkpoint's.
        configured: The optimizer as its config made it.
        loop: The loop of training, resumed already.
        progress: Progress of the run.
        logger: Where differences are reported.
    """

    def __init__(
        self,
        *,
        by_config: bool,
        configured: ConfiguredOptimizer,
        loop: TrainingLength,
        progress: Progress,
        logger: logging.Logger,
    ) -> None:
        self._by_config = by_config
        self._configured = configured
        self._loop = loop
        self._progress = progress
        self._logger = logger

    def restore(self, schedulers: Sequence[_ParamScheduler], saved: Sequence[StateDict]) -> None:
        """Restore schedulers from their states in a checkpoint.

        Those whose settings are the same continue exactly. Those of another length, which follows
        the length of training, and with ``by_config`` those with other settings, are
        fast-forwarded to the progress of the run, and all others of the same optimizer with them.

        Args:
            schedulers: The schedulers, as the config makes them.
            saved: Their states.
        """
        saved = [
            {**getattr(scheduler, "_added_settings", {}), **state}
            for scheduler, state in zip(schedulers, saved, strict=False)
        ] + list(saved[len(schedulers) :])
        misfit = self._find_mismatch(schedulers, saved)
        if misfit is not None:
            self._logger.warning(
                f"{misfit}. The config's are used, fast-forwarded to the progress of the run."
            )
            self.move(schedulers)
            return
        self._follow_training(schedulers)
        own = [_read_length(scheduler) for scheduler in schedulers]
        is_moved = not self._configured.is_restored or (
            self._by_config and self._has_other_bases(schedulers)
        )
        for number, (scheduler, state) in enumerate(zip(schedulers, saved, strict=True)):
            settings = copy.deepcopy(scheduler.settings())
            is_changed = self._report(number, scheduler, state)
            scheduler.load_state_dict(copy.deepcopy(dict(state)))
            if self._by_config:
                scheduler.__dict__.update(settings)
            # The length is that of the config, and what follows from it.
            is_longer = _read_length(scheduler) != own[number]
            # The steps of one that depends on metrics do not depend on its end.
            is_moved |= is_longer and not getattr(scheduler, "need_val_args", False)
            is_moved |= is_changed and self._by_config
            scheduler.__dict__.update(own[number])
        if is_moved:
            self._replay(schedulers, [int(state["_global_step"]) for state in saved])

    def move(self, schedulers: Sequence[_ParamScheduler]) -> None:
        """Fast-forward schedulers without a state in the checkpoint to the progress of the run.

        Args:
            schedulers: The schedulers, as the config makes them.
        """
        self._follow_training(schedulers)
        done = {
            "epoch": self._progress.epoch,
            "iter": self._progress.iter,
        }
        steps = []
        for scheduler in schedulers:
            updates = -(-done["iter"] // getattr(scheduler.optimizer, "accumulative_counts", 1))
            steps.append({**done, "step": updates}[_read_clock(scheduler)])
        self._replay(schedulers, steps)

    def _find_mismatch(
        self, schedulers: Sequence[_ParamScheduler], saved: Sequence[StateDict]
    ) -> str | None:
        """Explain why the states cannot be those of these schedulers."""
        names = [type(scheduler).__name__ for scheduler in schedulers]
        if len(saved) != len(schedulers):
            return (
                f"The checkpoint has the states of {len(saved)} parameter schedulers, the config "
                f"has {len(schedulers)}: {', '.join(names)}"
            )
        for name, scheduler, state in zip(names, schedulers, saved, strict=True):
            if not _are_alike(scheduler, state):
                has = {k: v for k, v in state.items() if not k.startswith("_")}
                return (
                    f"The checkpoint has the state of another parameter scheduler ({has}) than "
                    f"the {name} of the config"
                )
        return None

    def _report(self, number: int, scheduler: _ParamScheduler, state: StateDict) -> bool:
        """Report the settings that the config changes.

        Returns:
            Whether any setting differs.
        """
        changed = {
            name: (state[name], value)
            for name, value in scheduler.settings().items()
            if name in state and _as_list(state[name]) != _as_list(value)
        }
        if changed:
            pairs = [f"{name}={a!r} and now {b!r}" for name, (a, b) in changed.items()]
            used = "config's" if self._by_config else "checkpoint's"
            other = "" if self._by_config else " (resume_schedule='config' uses the config's)"
            self._logger.warning(
                f"param_scheduler[{number}], {type(scheduler).__name__}: the checkpoint has "
                f"{', '.join(pairs)}. The {used} is used{other}."
            )
        return bool(changed)

    def _follow_training(self, schedulers: Sequence[_ParamScheduler]) -> None:
        for scheduler in schedulers:
            if getattr(scheduler, "follows_training", False):
                end, _ = end_of_training(_read_clock(scheduler), scheduler.optimizer, self._loop)
                scheduler.set_end(end)

    def _has_other_bases(self, schedulers: Sequence[_ParamScheduler]) -> bool:
        """Whether initial values of scheduled settings differ between config and checkpoint."""
        return any(
            group.get(key) != given.get(key)
            for scheduler in schedulers
            for key in [f"initial_{scheduler.param_name}"]
            for group, given in zip(
                scheduler.optimizer.param_groups, self._configured.groups, strict=True
            )
        )

    def _replay(self, schedulers: Sequence[_ParamScheduler], steps: Sequence[int]) -> None:
        """Step schedulers from the beginning, in the order in which training has stepped them."""
        for scheduler in schedulers:
            name = scheduler.param_name
            key = f"initial_{name}"
            for group, given in zip(
                scheduler.optimizer.param_groups, self._configured.groups, strict=True
            ):
                if key in given and (self._by_config or not self._configured.is_restored):
                    group[key] = given[key]
                group[name] = group.setdefault(key, given.get(key, group[name]))
        for scheduler in schedulers:
            scheduler.restart()
        # One that counts epochs steps at their ends, after those that count iterations.
        turns = [
            _order_steps(index, number, _read_clock(scheduler) == "epoch")
            for index, (scheduler, number) in enumerate(zip(schedulers, steps, strict=True))
        ]
        for *_, index in heapq.merge(*turns):
            schedulers[index].replay(1)


def _order_steps(index: int, number: int, is_last: bool) -> Iterator[tuple[float, bool, int]]:
    """Yield the points of a scheduler's steps as shares of its progress, and whether it is last."""
    return ((step / number, is_last, index) for step in range(1, number + 1))


def _are_alike(scheduler: _ParamScheduler, state: StateDict) -> bool:
    """Whether a state may be that of a scheduler, as far as it shows."""
    if not isinstance(scheduler, _ParamScheduler):
        return True
    same_clock = (
        bool(state.get("by_epoch", True)) == scheduler.by_epoch
        and bool(state.get("by_optimizer_step", False)) == scheduler.by_optimizer_step
    )
    same_name = state.get("param_name", scheduler.param_name) == scheduler.param_name
    return same_clock and same_name and set(scheduler.settings()) <= set(state)


def _read_clock(scheduler: _ParamScheduler) -> str:
    if getattr(scheduler, "by_optimizer_step", False):
        return "step"
    return "epoch" if scheduler.by_epoch else "iter"


def _read_length(scheduler: _ParamScheduler) -> StateDict:
    """Begin and end of a schedule, with the settings that follow from them."""
    names = ("begin", "end", *getattr(scheduler, "_follows", ()))
    return {name: getattr(scheduler, name) for name in names}


def _as_list(value: object) -> object:
    """A value as it compares: milestones may be a counter, as older engines save them."""
    if isinstance(value, Mapping):
        return sorted(key for key, count in value.items() for _ in range(count))
    return sorted(value) if isinstance(value, (list, tuple)) else value
