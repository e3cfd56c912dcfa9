"""Divide sums, which may be empty."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from torch import Tensor

from eng.logging import print_log

from .types import Total

__all__ = ["divide", "sum_exactly"]


def divide(owner: str, sums: Mapping[str, Total], total: str, count: str) -> float:
    """Divide a sum by its count.

    Args:
        owner: Name of the metric, for the warning.
        sums: The sums by name.
        total: Name of the sum.
        count: Name of the count.

    Returns:
        The ratio; NaN, with a warning, if the count is 0.

    Raises:
        ValueError: If no process has received samples.
    """
    if count not in sums:
        raise ValueError(f"{owner} has not received samples")
    if not float(sums[count]):
        print_log(
            f"{owner}: every target is ignored or empty; the value is NaN",
            logger="current",
            level=logging.WARNING,
        )
        return math.nan
    return float(sums[total]) / float(sums[count])


def sum_exactly(values: Tensor) -> Tensor:
    """Sum in double precision, on the CPU if the device does not have it."""
    return (values.cpu() if values.device.type == "mps" else values).double().sum()
