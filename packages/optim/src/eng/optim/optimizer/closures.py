"""Optimizers whose step computes the loss again, by a closure."""

from __future__ import annotations

import inspect

from torch.optim import Optimizer

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = ["check_closure", "requires_closure"]


def requires_closure(optimizer: Optimizer) -> bool:
    """Whether the step of an optimizer cannot be called without a closure.

    Args:
        optimizer: The optimizer.

    Returns:
        True for :class:`torch.optim.LBFGS`.
    """
    step = inspect.unwrap(type(optimizer).step)
    parameter = inspect.signature(step).parameters.get("closure")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def check_closure(closure: object, accumulative_counts: int, name: str) -> None:
    """Refuse a setting that cannot hold for an optimizer with a closure.

    Args:
        closure: The setting.
        accumulative_counts: Number of iterations whose gradients are accumulated.
        name: Class of the optimizer.

    Raises:
        TypeError: If ``closure`` is neither a bool nor None.
        ValueError: If gradients are accumulated.
    """
    if not isinstance(closure, (bool, type(None))):
        raise ArgumentTypeError(f"closure must be True, False or None, not {closure!r}")
    if closure and accumulative_counts > 1:
        raise ArgumentValueError(
            f"accumulative_counts={accumulative_counts} does not go with {name}, whose step "
            "computes the loss of a batch again by a closure: the batches of the other iterations "
            "are gone then. Use accumulative_counts=1 and a larger batch"
        )
