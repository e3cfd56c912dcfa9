"""Evaluate with the weights that an optimizer keeps for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .base import BaseOptimWrapper

__all__ = ["evaluation_mode"]


@contextmanager
def evaluation_mode(optim_wrapper: object) -> Iterator[None]:
    """Evaluate or save with the weights of evaluation, and go back to those of training.

    Args:
        optim_wrapper: The wrapper. Nothing happens for what is none, such as a config, and where
            the weights are those of evaluation already.

    Yields:
        Nothing.
    """
    wrapper = optim_wrapper if isinstance(optim_wrapper, BaseOptimWrapper) else None
    if wrapper is None or not wrapper.is_training:
        yield
        return
    wrapper.eval()
    try:
        yield
    finally:
        wrapper.train()
