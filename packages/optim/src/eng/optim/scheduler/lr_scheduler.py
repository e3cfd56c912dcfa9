"""Schedulers of the learning rate."""

from __future__ import annotations

from eng.registry import PARAM_SCHEDULERS

from .base_scheduler import OptimizerType
from .param_scheduler import (
    ConstantParamScheduler,
    CosineAnnealingParamScheduler,
    ExponentialParamScheduler,
    LinearParamScheduler,
    MultiStepParamScheduler,
    OneCycleParamScheduler,
    PolyParamScheduler,
    StepParamScheduler,
)
from .plateau_scheduler import ReduceOnPlateauParamScheduler
from .restart_scheduler import CosineRestartParamScheduler

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineRestartLR",
    "ExponentialLR",
    "LRSchedulerMixin",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolyLR",
    "ReduceOnPlateauLR",
    "StepLR",
]


class LRSchedulerMixin:
    """Sets the scheduled parameter to ``lr``."""

    def __init__(self, optimizer: OptimizerType, *args: object, **kwargs: object) -> None:
        super().__init__(optimizer, "lr", *args, **kwargs)  # type: ignore[call-arg]


@PARAM_SCHEDULERS.register_module()
class ConstantLR(LRSchedulerMixin, ConstantParamScheduler):
    """Multiply the learning rate by a constant factor until the step before ``end``.

    Takes the arguments of :class:`ConstantParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class CosineAnnealingLR(LRSchedulerMixin, CosineAnnealingParamScheduler):
    """Anneal the learning rate along half a cosine to ``eta_min``.

    Takes the arguments of :class:`CosineAnnealingParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class ExponentialLR(LRSchedulerMixin, ExponentialParamScheduler):
    """Multiply the learning rate by ``gamma`` at every step.

    Takes the arguments of :class:`ExponentialParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class LinearLR(LRSchedulerMixin, LinearParamScheduler):
    """Multiply the learning rate by a factor that changes linearly, such as for a warm-up.

    Takes the arguments of :class:`LinearParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class MultiStepLR(LRSchedulerMixin, MultiStepParamScheduler):
    """Multiply the learning rate by ``gamma`` at each milestone.

    Takes the arguments of :class:`MultiStepParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class OneCycleLR(LRSchedulerMixin, OneCycleParamScheduler):
    """Schedule the learning rate by the 1cycle policy.

    Takes the arguments of :class:`OneCycleParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class PolyLR(LRSchedulerMixin, PolyParamScheduler):
    """Decay the learning rate to ``eta_min`` along a polynomial.

    Takes the arguments of :class:`PolyParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class StepLR(LRSchedulerMixin, StepParamScheduler):
    """Multiply the learning rate by ``gamma`` every ``step_size`` steps.

    Takes the arguments of :class:`StepParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class CosineRestartLR(LRSchedulerMixin, CosineRestartParamScheduler):
    """Anneal the learning rate along half a cosine in each of several periods.

    Takes the arguments of :class:`CosineRestartParamScheduler` without ``param_name``.
    """


@PARAM_SCHEDULERS.register_module()
class ReduceOnPlateauLR(LRSchedulerMixin, ReduceOnPlateauParamScheduler):
    """Reduce the learning rate when a metric has stopped improving.

    Takes the arguments of :class:`ReduceOnPlateauParamScheduler` without ``param_name``.
    """
