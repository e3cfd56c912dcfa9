"""Copy batches to the device ahead of their use, for data loaders that ask for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from eng.dataset import prefetch_to_device
from eng.device import get_device
from eng.logging import print_log
from eng.utils import DataBatch

from .dataloader_info import stateful_part
from .types import Loader

__all__ = ["prefetch"]


def prefetch(dataloader: Loader, batches: Iterator[DataBatch]) -> Iterator[DataBatch]:
    """Copy batches to the device of the run ahead of their use, if their data loader asks for it.

    A data loader asks by its attribute ``prefetch_to_device``.

    Args:
        dataloader: The data loader.
        batches: Its batches.

    Returns:
        The batches on the device, or ``batches`` themselves. Without workers a batch read ahead
        would take its random numbers before the step of the batch before it, and a data loader
        that saves its own state would lose it on resume.
    """
    if not getattr(dataloader, "prefetch_to_device", False):
        return batches
    if getattr(dataloader, "num_workers", 0) and stateful_part(dataloader) is None:
        return prefetch_to_device(batches, get_device())
    print_log(
        "prefetch_to_device has no effect: it needs a data loader with num_workers of at least 1 "
        "that does not save a state of its own.",
        logger="current",
        level=logging.WARNING,
    )
    return batches
