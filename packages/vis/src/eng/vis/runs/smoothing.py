"""Smooth curves by an exponential moving average."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["smooth"]


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Smooth values by an exponential moving average without bias towards 0 at the start.

    Args:
        values: The values. Those that are not finite stay, and do not count.
        weight: Weight of the past, from 0, which changes nothing, to below 1.

    Examples:
        >>> smooth([1.0, 3.0, 3.0], 0.5)
        [1.0, 2.3333333333333335, 2.7142857142857144]
    """
    total, norm, smoothed = 0.0, 0.0, []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        total = weight * total + (1 - weight) * value
        norm = weight * norm + (1 - weight)
        smoothed.append(total / norm)
    return smoothed
