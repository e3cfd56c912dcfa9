"""Find the samplers and the length of a data loader."""

from __future__ import annotations

from typing import Any

__all__ = ["length_of", "sampler_with", "samplers_of"]


def samplers_of(dataloader: object) -> list[Any]:
    """List the sampler of a data loader and that of its batch sampler, which may differ.

    Args:
        dataloader: The data loader, see :class:`torch.utils.data.DataLoader`.

    Returns:
        The samplers that exist.
    """
    batch_sampler = getattr(dataloader, "batch_sampler", None)
    samplers = [getattr(dataloader, "sampler", None), getattr(batch_sampler, "sampler", None)]
    return [sampler for sampler in samplers if sampler is not None]


def sampler_with(dataloader: object, attribute: str) -> Any:
    """Find the sampler of a data loader that has an attribute.

    Args:
        dataloader: The data loader.
        attribute: Name of a method or attribute, such as ``set_epoch``.

    Returns:
        The first of :func:`samplers_of` that has it, or None.
    """
    return next((s for s in samplers_of(dataloader) if hasattr(s, attribute)), None)


def length_of(loader: Any) -> int | None:
    """Return the number of batches of a data loader, or of samples of a dataset.

    Args:
        loader: The data loader, or the dataset.

    Returns:
        The number, None if it is unknown.
    """
    try:
        return len(loader)
    except TypeError:
        return None
