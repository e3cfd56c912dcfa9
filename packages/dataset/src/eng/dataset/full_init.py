"""Datasets that load their annotations when these are first needed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from torch.utils.data import get_worker_info

from eng.logging import print_log

__all__ = ["force_full_init"]

F = TypeVar("F", bound=Callable[..., Any])


def force_full_init(old_func: F) -> F:
    """Decorate a method of a dataset so that annotations are loaded before it runs.

    Args:
        old_func: A method of a class that has ``full_init``, and sets ``_fully_initialized`` to
            True there.

    Returns:
        The method, which calls ``full_init`` first where that has not been done.

    Raises:
        AttributeError: When the method is called on an object without ``full_init``.
    """

    @functools.wraps(old_func)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "_fully_initialized", False):
            initialize(self)
        return old_func(self, *args, **kwargs)

    return cast(F, wrapper)


def initialize(dataset: Any) -> None:
    """Load the annotations of a dataset now.

    Args:
        dataset: The dataset.

    Raises:
        AttributeError: If it has no ``full_init``.
    """
    if not hasattr(dataset, "full_init"):
        raise AttributeError(f"{type(dataset).__name__} has no method full_init")
    if get_worker_info() is not None:
        print_log(
            f"Each worker loads the annotations of {type(dataset).__name__} for itself. Call its "
            "full_init() before the data loader starts, and they share them.",
            logger="current",
            level=logging.WARNING,
        )
    dataset.full_init()
    dataset._fully_initialized = True
