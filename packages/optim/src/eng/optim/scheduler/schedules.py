"""Schedules as pure functions of a step and their settings.

Each function but :func:`one_cycle` returns a *factor* on the distance between the base value of a
parameter and its minimum. Step 0 is the first step of the schedule. The scheduler classes of this
package only decide when a schedule acts and on which parameter.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

__all__ = [
    "constant",
    "cosine",
    "exponential",
    "linear",
    "multi_step",
    "one_cycle",
    "polynomial",
    "step_decay",
]


def constant(step: int, *, factor: float, total: int) -> float:
    """Return ``factor`` before step ``total``, 1 from there on."""
    return factor if step < total else 1.0


def linear(step: int, *, start: float, end: float, total: int) -> float:
    """Interpolate from ``start`` at step 0 to ``end`` at step ``total``, constant afterwards."""
    if total <= 0:
        return end
    return start + (end - start) * min(step, total) / total


def exponential(step: int, *, gamma: float) -> float:
    """Decay by ``gamma`` at every step."""
    return float(gamma**step)


def step_decay(step: int, *, step_size: int, gamma: float) -> float:
    """Decay by ``gamma`` after every ``step_size`` steps."""
    return float(gamma ** (step // step_size))


def multi_step(step: int, *, milestones: Sequence[int], gamma: float) -> float:
    """Decay by ``gamma`` at each of the sorted ``milestones``."""
    return float(gamma ** bisect_right(milestones, step))


def cosine(step: int, *, period: int) -> float:
    """Anneal along half a cosine from 1 at step 0 to 0 at step ``period``, and up again after it.

    ``(1 + cos(pi * step / period)) / 2``, from "SGDR: Stochastic Gradient Descent
    with Warm Restarts" (Loshchilov and Hutter, 2017), without the restarts.
    """
    return (1 + math.cos(math.pi * step / period)) / 2


def polynomial(step: int, *, power: float, total: int) -> float:
    """Return ``(1 - step / total) ** power`` until ``total``, 0 afterwards; 1 if ``total`` is 0."""
    if total <= 0:
        return 1.0
    return float((1 - min(step, total) / total) ** power)


def one_cycle(
    step: int,
    *,
    initial: float,
    maximum: float,
    minimum: float,
    total: int,
    pct_start: float,
    anneal: str,
    three_phase: bool,
) -> float:
    """Return the value (not a factor) of the 1cycle policy at ``step``.

    From "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (Smith and Topin, 2018). ``initial`` rises to ``maximum`` during the first ``pct_start`` of the
    cycle and decreases to ``minimum``; with three phases it passes ``initial`` again on the way.

    Args:
        step: Step of the cycle, at most ``total - 1``.
        initial: Value at step 0.
        maximum: Value at the peak.
        minimum: Value at the last step.
        total: Number of steps of the cycle.
        pct_start: Fraction of the cycle spent increasing, in [0, 1].
        anneal: ``'cos'`` or ``'linear'``, the shape of each phase.
        three_phase: Whether the decrease has two phases.

    Returns:
        The value at ``step``.
    """
    peak = float(pct_start * total) - 1
    if three_phase:
        phases = [
            (peak, initial, maximum),
            (2 * peak, maximum, initial),
            (total - 1, initial, minimum),
        ]
    else:
        phases = [(peak, initial, maximum), (total - 1, maximum, minimum)]
    begin = 0.0
    for end, first, last in phases:
        if step <= end or end == phases[-1][0]:
            share = (step - begin) / (end - begin) if end > begin else 1.0
            return _interpolate(first, last, share, anneal)
        begin = end
    raise AssertionError("unreachable: the last phase takes every step")


def _interpolate(first: float, last: float, share: float, anneal: str) -> float:
    if anneal == "linear":
        return first + (last - first) * share
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))
