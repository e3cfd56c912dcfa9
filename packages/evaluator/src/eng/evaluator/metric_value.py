"""Look up a metric value by its full or short name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from eng.utils import ArgumentValueError

__all__ = ["get_metric_value"]


ValueT = TypeVar("ValueT")


def get_metric_value(indicator: str, metrics: Mapping[str, ValueT]) -> ValueT:
    """Look up a metric value by its name.

    Args:
        indicator: Full name such as ``'COCO/AP'``, or the part after the prefix, ``'AP'``.
        metrics: Metric values by full name.

    Returns:
        The value.

    Raises:
        ValueError: If the name is unknown or ambiguous.
    """
    if indicator in metrics:
        return metrics[indicator]
    matched = [name for name in metrics if name.split("/")[-1] == indicator]
    if not matched or "/" in indicator:
        raise ArgumentValueError(f"unknown metric {indicator!r}; available: {sorted(metrics)}")
    if len(matched) > 1:
        raise ArgumentValueError(
            f"metric {indicator!r} is ambiguous; use the full name, one of {matched}"
        )
    return metrics[matched[0]]
