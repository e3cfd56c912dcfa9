"""Finding one number among those of all metrics."""

from __future__ import annotations

from typing import Any

from eng.utils import ArgumentValueError

__all__ = ["get_metric_value"]


def get_metric_value(indicator: str, metrics: dict[str, Any]) -> Any:
    """The number that a name means.

    Args:
        indicator: Full name such as ``'COCO/AP'``, or the part after the prefix, ``'AP'``.
        metrics: Numbers by full name.

    Returns:
        The number.

    Raises:
        ValueError: If no number has this name, or several have.
    """
    if indicator in metrics:
        return metrics[indicator]
    matched = [name for name in metrics if name.split("/")[-1] == indicator]
    if not matched or "/" in indicator:
        raise ArgumentValueError(f"no metric {indicator!r}; there are {sorted(metrics)}")
    if len(matched) > 1:
        raise ArgumentValueError(
            f"metric {indicator!r} is ambiguous; give one of {matched} in full"
        )
    return metrics[matched[0]]
