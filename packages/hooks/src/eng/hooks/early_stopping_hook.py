"""End training when a metric of validation no longer improves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from eng.registry import HOOKS
from eng.utils import StateDict, override

from .best_rule import RULE_MAP, WORST_VALUES, infer_rule
from .errors import HookArgumentError, HookAssertionError, HookKeyError, HookTypeError
from .hook import Hook
from .metric_names import check_metric_names, describe_missing
from .protocol import HookRunner
from .values import check_number, scalar_of

__all__ = ["EarlyStoppingHook"]


@dataclass
class _Seen:
    """Results of the validations so far.

    Attributes:
        best_score: The best value.
        wait_count: Validations since then.
        last: The latest value, None before the first.
    """

    best_score: float
    wait_count: int = 0
    last: float | None = None


@HOOKS.register_module()
class EarlyStoppingHook(Hook):
    """Ends training after the validation at which a metric has not improved for too long.

    Its state is part of checkpoints: a resumed run ends where an uninterrupted one does.

    Args:
        monitor: Name of the metric.
        rule: ``'greater'`` or ``'less'``, which values are better. Defaults to None: known by the
            name of the metric.
        min_delta: By how much a value must be better to count. Defaults to 0.1.
        strict: Whether a validation without the metric is an error; otherwise it is a warning.
            Defaults to False.
        check_finite: Whether a value that is NaN or infinite ends training. Defaults to True.
        patience: Validations without improvement after which training ends. Defaults to 5.
        stopping_threshold: A value that is better than this ends training. Defaults to None.

    Raises:
        ValueError: If ``rule`` is unknown or cannot be inferred, or a number is negative.

    Attributes:
        best_score: The best value so far.
        wait_count: Validations since then.
    """

    priority = "LOWEST"
    #: Whether a value is better than another one, by the name of a rule.
    rule_map: ClassVar[dict[str, Callable[[float, float], bool]]] = RULE_MAP

    def __init__(
        self,
        monitor: str,
        rule: str | None = None,
        min_delta: float = 0.1,
        strict: bool = False,
        check_finite: bool = True,
        patience: int = 5,
        stopping_threshold: float | None = None,
    ) -> None:
        if not isinstance(monitor, str):
            raise HookTypeError(
                f"EarlyStoppingHook: monitor must be the name of a metric, got {monitor!r}"
            )
        if rule is not None and rule not in self.rule_map:
            raise HookKeyError(f"EarlyStoppingHook: rule must be 'greater' or 'less', got {rule!r}")
        check_number("EarlyStoppingHook: patience", patience, least=0)
        if not isinstance(min_delta, (int, float)) or not min_delta >= 0:
            raise HookArgumentError(
                f"EarlyStoppingHook: min_delta must be a number of at least 0, got {min_delta!r}"
            )
        self.monitor = monitor
        self.rule = rule or infer_rule(monitor, setting="EarlyStoppingHook")
        self.min_delta = min_delta
        self.strict = strict
        self.check_finite = check_finite
        self.patience = patience
        self.stopping_threshold = stopping_threshold
        self._seen = _Seen(WORST_VALUES[self.rule])
        #: While others see a validation before this hook: entries of the history of the metric.
        self._entries_before: int | None = None
        self._is_over = False
        self._part: _State | None = None

    @property
    def best_score(self) -> float:
        """The best value so far."""
        return self._seen.best_score

    @property
    def wait_count(self) -> int:
        """Validations since the best value."""
        return self._seen.wait_count

    @override
    def before_run(self, runner: HookRunner) -> None:
        """Refuse a training loop that cannot be ended, and add the state to checkpoints."""
        # Where nothing is trained, a loop would be built by asking for it.
        if isinstance(getattr(runner, "optim_wrapper", self), (Mapping, type(None))):
            return
        loop = runner.train_loop
        if not hasattr(loop, "stop_training"):
            raise HookAssertionError(
                f"EarlyStoppingHook: the training loop {type(loop).__name__} has no "
                "'stop_training', which it must look at to end training"
            )
        state = getattr(runner, "run_state", None)
        if state is None or (self._part is not None and self._part.runner is runner):
            return
        self._part = _State(self, runner)
        state.add(self._choose_name(getattr(runner, "hooks", [])), self._part)

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Refuse a metric that the evaluator does not have; end a run that had ended."""
        self._is_over = False
        check_metric_names([self.monitor], runner, "EarlyStoppingHook(monitor=...)")
        if self._seen.last is not None:
            self._stop_if_due(runner)

    @override
    def before_val_epoch(self, runner: HookRunner) -> None:
        """Count the entries recorded before this validation."""
        self._entries_before = _count_entries(runner, self.monitor)

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """End training if it is time to."""
        self._entries_before = None
        if self._is_over:  # an evaluation after training
            return
        value = self._read_value(metrics or {}, runner)
        if value is not None:
            self._seen = self._advance(value)
            self._stop_if_due(runner)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Ignore validations after training, which are evaluations alone."""
        self._is_over = True

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self._is_over = True

    def after_interrupted_val(self, runner: HookRunner) -> None:
        """Ignore a validation that was broken off."""
        self._entries_before = None

    def state_dict(self, runner: HookRunner | None = None) -> StateDict:
        """Return the state as it will be at the end of the present stage.

        Args:
            runner: The runner. With it a validation counts that other hooks, which save a
                checkpoint, see before this one. Defaults to None.

        Returns:
            Plain numbers.
        """
        seen = self._seen
        if runner is not None and self._entries_before is not None:
            history = runner.message_hub.log_scalars.get(f"val/{self.monitor}")
            if history is not None and len(history) > self._entries_before:
                seen = self._advance(float(history.current()))
        return {**asdict(seen), "rule": self.rule}

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Continue from the state of another run.

        Args:
            state_dict: State from :meth:`state_dict`. That of another rule is ignored.
        """
        if state_dict["rule"] == self.rule:
            values = {key: value for key, value in state_dict.items() if key != "rule"}
            self._seen = _Seen(**values)

    def _choose_name(self, hooks: Iterable[Hook]) -> str:
        """The name of the state in checkpoints, the same in a run that is resumed."""
        alike = [
            hook
            for hook in hooks
            if isinstance(hook, EarlyStoppingHook) and hook.monitor == self.monitor
        ]
        place = next((number for number, hook in enumerate(alike) if hook is self), 0)
        return f"early_stopping:{self.monitor}" + (f":{place}" if place else "")

    def _advance(self, value: float) -> _Seen:
        """The results with one more value."""
        best = self._seen.best_score
        is_better, worst = self.rule_map[self.rule], WORST_VALUES[self.rule]
        margin = self.min_delta if self.rule == "greater" else -self.min_delta
        if is_better(value, worst if best == worst else best + margin):
            return _Seen(value, 0, value)
        return _Seen(best, self._seen.wait_count + 1, value)

    def _stop_if_due(self, runner: HookRunner) -> None:
        reason = self._find_reason_to_stop()
        loop = runner.train_loop
        if reason is not None and loop is not None and not loop.stop_training:
            loop.stop_training = True
            runner.logger.info(f"Training is stopped early: {self.monitor} {reason}.")

    def _find_reason_to_stop(self) -> str | None:
        value, seen = self._seen.last, self._seen
        if value is None:
            return None
        if self.check_finite and not math.isfinite(value):
            return f"is {value}"
        threshold = self.stopping_threshold
        if threshold is not None and self.rule_map[self.rule](value, threshold):
            return f"is {value:g}, beyond the threshold of {threshold:g}"
        if seen.wait_count >= max(self.patience, 1):
            return (
                f"has not improved by {self.min_delta:g} on {seen.best_score:g} in the last "
                f"{seen.wait_count} validations"
            )
        return None

    def _read_value(self, metrics: Mapping[str, object], runner: HookRunner) -> float | None:
        if self.monitor not in metrics:
            text = f"EarlyStoppingHook: {describe_missing(self.monitor, metrics)}"
            if self.strict:
                raise RuntimeError(text)
            runner.logger.warning(f"{text}. Training continues.")
            return None
        value = scalar_of(metrics[self.monitor])
        if value is None:
            raise HookTypeError(
                f"EarlyStoppingHook: {self.monitor!r} must be one number, not "
                f"{metrics[self.monitor]!r:.80}"
            )
        return value


class _State:
    """The state of a hook as a part of checkpoints."""

    def __init__(self, hook: EarlyStoppingHook, runner: HookRunner) -> None:
        self._hook = hook
        self.runner = runner

    def state_dict(self) -> StateDict:
        return self._hook.state_dict(self.runner)

    def load_state_dict(self, state_dict: StateDict) -> None:
        self._hook.load_state_dict(state_dict)


def _count_entries(runner: HookRunner, monitor: str) -> int:
    history = runner.message_hub.log_scalars.get(f"val/{monitor}")
    return 0 if history is None else len(history)
