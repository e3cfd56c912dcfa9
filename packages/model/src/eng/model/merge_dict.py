"""Merging of dicts in models that are traced."""

from __future__ import annotations

from typing import Any

import torch.fx

__all__ = ["merge_dict"]


def merge_dict(*args: dict[str, Any]) -> dict[str, Any]:
    """Merge dicts; of a key that is in several, the last value counts.

    :func:`torch.fx.symbolic_trace` takes it as one operation.

    Args:
        *args: The dicts.

    Returns:
        A new dict.
    """
    return _merge(*args)


def _merge(*args: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in args:
        merged.update(each)
    return merged


# What is wrapped must be called through the globals of its own module to be seen by the tracer:
# whoever imports merge_dict by name would go around it.
torch.fx.wrap("_merge")
