"""Merge dicts in traced models."""

from __future__ import annotations

from typing import TypeVar

import torch.fx

__all__ = ["merge_dict"]


ValueT = TypeVar("ValueT")


def merge_dict(*args: dict[str, ValueT]) -> dict[str, ValueT]:
    """Merge dicts; later ones take precedence.

    :func:`torch.fx.symbolic_trace` records it as one operation.

    Args:
        *args: The dicts.

    Returns:
        A new dict.
    """
    return _merge(*args)


def _merge(*args: dict[str, ValueT]) -> dict[str, ValueT]:
    merged: dict[str, ValueT] = {}
    for each in args:
        merged.update(each)
    return merged


# The tracer only records calls through the globals of this module: an imported merge_dict would
# bypass it.
torch.fx.wrap("_merge")
