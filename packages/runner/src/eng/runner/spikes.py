"""Detect losses far above the running median of the losses before them."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from eng.utils import StateDict

from .counts import check_count
from .errors import RunnerAssertionError, RunnerTypeError
from .known_settings import check_settings

__all__ = ["RunningMedian", "SpikeDetector"]

_FACTOR = 10.0
_WINDOW = 100
#: Fewer losses have no median that a run should be stopped for.
_FEWEST = 10


class RunningMedian:
    """The median of the last values, in a few microseconds for any window.

    Args:
        window: Number of values.
        values: Values to begin with. Defaults to none.

    Examples:
        >>> median = RunningMedian(3)
        >>> for value in (5.0, 1.0, 2.0, 4.0):
        ...     median.add(value)
        >>> median.value
        2.0
    """

    def __init__(self, window: int, values: Iterable[float] = ()) -> None:
        self._window = window
        self._last: deque[float] = deque()
        self._sorted: list[float] = []
        for value in values:
            self.add(value)

    def __len__(self) -> int:
        return len(self._last)

    def add(self, value: float) -> None:
        """Add a value, which replaces the oldest one of a full window.

        Args:
            value: The value, not NaN.
        """
        if len(self._last) == self._window:
            oldest = self._last.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
        self._last.append(value)
        insort(self._sorted, value)

    @property
    def value(self) -> float:
        """The median; of an even number of values, the mean of the middle two."""
        middle = len(self._sorted) // 2
        if len(self._sorted) % 2:
            return self._sorted[middle]
        return (self._sorted[middle - 1] + self._sorted[middle]) / 2

    @property
    def values(self) -> list[float]:
        """The values, the oldest first."""
        return list(self._last)


class SpikeDetector:
    """Detects losses above a factor times the running median of the finite losses before them.

    A loss is judged once there are 10 losses before it, or ``window`` if that is less, and where
    their median is positive. It then joins them, so that a loss that stays high is the new normal
    after half a window.

    Args:
        settings: True for the defaults, the factor, or a dict with ``factor``, by default 10, and
            ``window``, by default 100 losses.

    Raises:
        RunnerConfigError: If a setting is unknown or invalid.
    """

    def __init__(self, settings: object) -> None:
        cfg = _read_settings(settings)
        check_settings("spike", cfg, ("factor", "window"))
        self.factor = _check_factor(cfg.get("factor", _FACTOR))
        self.window = check_count("window", cfg.get("window", _WINDOW), of="spike")
        self._medians: dict[str, RunningMedian] = {}

    def judge(self, loss: float, series: str) -> float | None:
        """Judge a loss, which joins those that later ones are compared with.

        Args:
            loss: The loss. One that is not finite is not judged.
            series: Name of the losses that it belongs to, such as those of one optimizer.

        Returns:
            The running median that it is too far above, None if it is not.
        """
        if not math.isfinite(loss):
            return None
        before = self._medians.setdefault(series, RunningMedian(self.window))
        is_known = len(before) >= min(self.window, _FEWEST)
        median = before.value if is_known else 0.0
        before.add(loss)
        return median if median > 0 and loss > self.factor * median else None

    def state_dict(self) -> StateDict:
        """Return the last losses by the name of their series."""
        return {series: median.values for series, median in self._medians.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with the last losses of another run.

        Args:
            state: State from :meth:`state_dict`, perhaps of a longer window.
        """
        self._medians = {
            series: RunningMedian(self.window, values) for series, values in state.items()
        }


def _read_settings(settings: object) -> Mapping[str, Any]:
    if isinstance(settings, Mapping):
        return settings
    if settings is True:
        return {}
    if isinstance(settings, Real):
        return {"factor": settings}
    raise RunnerTypeError(
        "spike in nan_loss must be True, a factor such as 10.0, or a dict with factor and window, "
        f"got {settings!r}"
    )


def _check_factor(value: object) -> float:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not 1 < float(value) < math.inf:  # type: ignore[arg-type]
        raise RunnerAssertionError(f"spike: factor must be a number above 1, got {value!r}")
    return float(value)  # type: ignore[arg-type]
