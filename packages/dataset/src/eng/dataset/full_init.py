"""Load the annotations of a dataset at its first use."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from torch.utils.data import get_worker_info

from eng.logging import print_log

__all__ = ["force_full_init"]

F = TypeVar("F", bound=Callable[..., object])


class _LazyDataset(Protocol):
    """A dataset that loads its annotations at its first use."""

    _fully_initialized: bool

    def full_init(self) -> object: ...


def force_full_init(old_func: F) -> F:
    """Decorate a method of a dataset so that annotations are loaded before it runs.

    Args:
        old_func: A method of a class whose ``full_init`` sets ``_fully_initialized`` to True.

    Returns:
        The method, which first calls ``full_init`` unless that was done.

    Raises:
        AttributeError: When the method is called on an object without ``full_init``.
    """

    @functools.wraps(old_func)
    def wrapper(self: _LazyDataset, *args: object, **kwargs: object) -> object:
        if not getattr(self, "_fully_initialized", False):
            initialize(self)
        return old_func(self, *args, **kwargs)

    return cast(F, wrapper)


def initialize(dataset: _LazyDataset) -> None:
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
            f"Each worker loads its own annotations of {type(dataset).__name__}. To share them, "
            "call full_init() before the data loader starts.",
            logger="current",
            level=logging.WARNING,
        )
    dataset.full_init()
    dataset._fully_initialized = True
