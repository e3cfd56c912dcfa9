"""What a data loader takes its samples by, and how many."""

from __future__ import annotations

from typing import Any

__all__ = ["length_of", "sampler_with", "samplers_of"]


def samplers_of(dataloader: Any) -> list[Any]:
    """The sampler of a data loader, and that of its batch sampler, which may be another.

    Args:
        dataloader: The data loader, see :class:`torch.utils.data.DataLoader`.

    Returns:
        One or both.
    """
    batch_sampler = getattr(dataloader, "batch_sampler", None)
    samplers = [getattr(dataloader, "sampler", None), getattr(batch_sampler, "sampler", None)]
    return [sampler for sampler in samplers if sampler is not None]


def sampler_with(dataloader: Any, attribute: str) -> Any | None:
    """The sampler of a data loader that can do something.

    Args:
        dataloader: The data loader.
        attribute: Name of a method or attribute, such as ``set_epoch``.

    Returns:
        The first of :func:`samplers_of` that has it, None if none has.
    """
    return next((s for s in samplers_of(dataloader) if hasattr(s, attribute)), None)


def length_of(loader: Any) -> int | None:
    """Number of batches of a data loader, or of samples of a dataset.

    Args:
        loader: The data loader, or the dataset.

    Returns:
        The number, None where it is unknown.
    """
    try:
        return len(loader)
    except TypeError:
        return None
