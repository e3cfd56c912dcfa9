"""Optimizer wrappers, per-parameter settings and schedulers."""

from .optimizer import *  # noqa: F403
from .optimizer import __all__ as _optimizer
from .scheduler import *  # noqa: F403
from .scheduler import __all__ as _scheduler
from .scheduler import _ParamScheduler

__all__ = [*_optimizer, *_scheduler]  # noqa: PLE0604
