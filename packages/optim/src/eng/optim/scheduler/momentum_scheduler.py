"""Schedulers of the momentum."""

from __future__ import annotations

from torch.optim import Optimizer

from eng.registry import PARAM_SCHEDULERS

from .base_scheduler import OptimizerType
from .param_scheduler import (
    ConstantParamScheduler,
    CosineAnnealingParamScheduler,
    ExponentialParamScheduler,
    LinearParamScheduler,
    MultiStepParamScheduler,
    PolyParamScheduler,
    StepParamScheduler,
)
from .plateau_scheduler import ReduceOnPlateauParamScheduler
from .restart_scheduler import CosineRestartParamScheduler

__all__ = [
    "ConstantMomentum",
    "CosineAnnealingMomentum",
    "CosineRestartMomentum",
    "ExponentialMomentum",
    "LinearMomentum",
    "MomentumSchedulerMixin",
    "MultiStepMomentum",
    "PolyMomentum",
    "ReduceOnPlateauMomentum",
    "StepMomentum",
]


class MomentumSchedulerMixin:
    """Sets the scheduled parameter to ``momentum``, or to the first beta of Adam and the like."""

    def __init__(self, optimizer: OptimizerType, *args: object, **kwargs: object) -> None:
        plain = (
            optimizer if isinstance(optimizer, Optimizer) else getattr(optimizer, "optimizer", None)
        )
        if plain is None:
            raise TypeError(
                f"{type(self).__name__} needs an Optimizer or an OptimWrapper, "
                f"not {type(optimizer).__name__}"
            )
        self.use_betas = "momentum" not in plain.defaults
        if self.use_betas:
            if "betas" not in plain.defaults:
                raise ValueError(
                    f"{type(plain).__name__} has neither momentum nor betas to schedule"
                )
            for group in optimizer.param_groups:
                group.setdefault("momentum", group["betas"][0])
        super().__init__(optimizer, "momentum", *args, **kwargs)  # type: ignore[call-arg]

    def step(self, *args: object, **kwargs: object) -> None:
        """Count one step and set the momentum, or the first beta, of every group.

        Args:
            *args: Positional arguments of the scheduler's own method.
            **kwargs: Its keyword arguments.
        """
        super().step(*args, **kwargs)  # type: ignore[misc]
        self._set_betas()

    def replay(self, steps: int) -> None:
        """Repeat steps without updates by the optimizer.

        Args:
            steps: Number of steps.
        """
        super().replay(steps)  # type: ignore[misc]
        self._set_betas()

    def _set_betas(self) -> None:
        if self.use_betas:
            for group in self.optimizer.param_groups:  # type: ignore[attr-defined]
                group["betas"] = (group["momentum"], *group["betas"][1:])


@PARAM_SCHEDULERS.register_module()
class ConstantMomentum(MomentumSchedulerMixin, ConstantParamScheduler):
    """Multiply the momentum by a constant factor until the step before ``end``.

    Takes the arguments of :class:`ConstantParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class CosineAnnealingMomentum(MomentumSchedulerMixin, CosineAnnealingParamScheduler):
    """Anneal the momentum along half a cosine to ``eta_min``.

    Takes the arguments of :class:`CosineAnnealingParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class ExponentialMomentum(MomentumSchedulerMixin, ExponentialParamScheduler):
    """Multiply the momentum by ``gamma`` at every step.

    Takes the arguments of :class:`ExponentialParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class LinearMomentum(MomentumSchedulerMixin, LinearParamScheduler):
    """Multiply the momentum by a factor that changes linearly, such as for a warm-up.

    Takes the arguments of :class:`LinearParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class MultiStepMomentum(MomentumSchedulerMixin, MultiStepParamScheduler):
    """Multiply the momentum by ``gamma`` at each milestone.

    Takes the arguments of :class:`MultiStepParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class PolyMomentum(MomentumSchedulerMixin, PolyParamScheduler):
    """Decay the momentum to ``eta_min`` along a polynomial.

    Takes the arguments of :class:`PolyParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class StepMomentum(MomentumSchedulerMixin, StepParamScheduler):
    """Multiply the momentum by ``gamma`` every ``step_size`` steps.

    Takes the arguments of :class:`StepParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class CosineRestartMomentum(MomentumSchedulerMixin, CosineRestartParamScheduler):
    """Anneal the momentum along half a cosine in each of several periods.

    Takes the arguments of :class:`CosineRestartParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class ReduceOnPlateauMomentum(MomentumSchedulerMixin, ReduceOnPlateauParamScheduler):
    """Reduce the momentum when a metric has stopped improving.

    Takes the arguments of :class:`ReduceOnPlateauParamScheduler` without ``param_name``.
    """
