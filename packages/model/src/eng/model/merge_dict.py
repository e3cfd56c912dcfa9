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
    merged: dict[str, Any] = {}
    for each in args:
        merged.update(each)
    return merged


torch.fx.wrap("merge_dict")
