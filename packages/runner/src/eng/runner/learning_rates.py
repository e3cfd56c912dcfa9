"""Losses by learning rate: smoothing, a suggestion and a plot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["LearningRateCurve", "exponential_rates"]

#: Width of the smoothing and length of the left out beginning, as shares of the range.
_WIDTH, _BEGINNING = 0.04, 0.1
#: Standard errors by which the lowest of many smoothed losses may differ by chance.
_CHANCE = 5.0


@dataclass(frozen=True)
class LearningRateCurve:
    """Losses of a learning-rate range test.

    Attributes:
        rates: Learning rates of the steps, rising.
        losses: Losses of these steps, without the ones that are NaN or infinite.
        planned: Number of steps of the whole range; fewer were taken if the loss diverged.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    planned: int

    @property
    def smoothed(self) -> tuple[float, ...]:
        """Losses smoothed by a Gaussian over the logarithm of the rate."""
        return tuple(_smooth(np.asarray(self.losses), self._width).tolist())

    @property
    def diverged(self) -> bool:
        """Whether the test ended before the end of the range."""
        return len(self.rates) < self.planned

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss falls most steeply, None if it does not fall.

        The first tenth of the range is left out, and whatever comes after the lowest loss.
        """
        place = self._steepest
        return None if place is None else self.rates[place]

    @property
    def is_clear(self) -> bool:
        """Whether the loss falls by more than it varies from batch to batch."""
        steepest = self._steepest
        if steepest is None:
            return False
        losses, smoothed = np.asarray(self.losses), np.asarray(self.smoothed)
        end = int(smoothed.argmin()) + 1
        noise = np.sqrt(np.square(losses - smoothed)[:end].mean())
        # Of a Gaussian average of this width.
        standard_error = noise / math.sqrt(2 * math.sqrt(math.pi) * self._width)
        fall = losses[: steepest + 1].mean() - smoothed[end - 1]
        return bool(fall > _CHANCE * standard_error)

    @property
    def _steepest(self) -> int | None:
        begin = math.ceil(_BEGINNING * self.planned)
        smoothed = np.asarray(self.smoothed)
        end = int(smoothed.argmin()) + 1 if len(smoothed) else 0
        if end < begin + 1 or len(smoothed) < 3:
            return None
        slopes = np.gradient(smoothed, np.log(self.rates))[begin:end]
        fall = smoothed[begin] - smoothed[end - 1]
        does_fall = fall > 1e-6 * np.abs(smoothed[begin:end]).mean()  # and is not of rounding
        return begin + int(slopes.argmin()) if does_fall else None

    @property
    def lowest(self) -> float | None:
        """The rate of the lowest smoothed loss, None without any loss."""
        return self.rates[int(np.argmin(self.smoothed))] if self.rates else None

    def describe(self) -> list[str]:
        """Say in a few lines what was found."""
        if not self.rates:
            return ["no suggestion: the loss is NaN or infinite at the lowest learning rate"]
        lines = [
            f"{len(self.rates)} updates at learning rates from {self.rates[0]:.3g} to "
            f"{self.rates[-1]:.3g}{', where the loss diverged' if self.diverged else ''}",
            f"lowest loss: {min(self.smoothed):.4g} (smoothed), at {self.lowest:.3g}",
        ]
        if self.suggestion is None:
            return [*lines, "no suggestion: the loss does not fall; try another range"]
        doubt = "" if self.is_clear else "; uncertain: the loss falls by less than its noise"
        return [*lines, f"suggested learning rate: {self.suggestion:.3g} (steepest descent{doubt})"]

    def plot(self, path: str | Path) -> None:
        """Draw the losses over the learning rate, with the suggestion.

        Args:
            path: File to write; its suffix, such as ``.png``, is the format. Missing folders are
                made.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot(self.rates, self.losses, color="0.75", linewidth=1, label="loss")
        axes.plot(self.rates, self.smoothed, color="C0", linewidth=2, label="smoothed")
        if self.suggestion is not None:
            label = f"steepest descent: {self.suggestion:.3g}"
            axes.axvline(self.suggestion, color="C3", linestyle="--", label=label)
        axes.set_ylim(*self._limits())
        axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)

    @property
    def _width(self) -> float:
        return max(1.0, _WIDTH * self.planned)

    def _limits(self) -> tuple[float, float]:
        """Limits of the loss that show its descent, however far it diverges."""
        low, first = min(self.losses), max(self.losses[: max(1, self.planned // 10)])
        high = max(first, *self.smoothed[: self.smoothed.index(min(self.smoothed)) + 1])
        margin = max(high - low, 1e-3 * abs(high), 1e-12)
        return low - 0.1 * margin, min(high + 0.5 * margin, max(self.losses) + 0.1 * margin)


def exponential_rates(start: float, end: float, count: int) -> list[float]:
    """Learning rates from start to end, each the same factor above the one before.

    Args:
        start: The first one.
        end: The last one.
        count: Their number.

    Returns:
        The rates.
    """
    return [start * (end / start) ** (index / (count - 1)) for index in range(count)]


def _smooth(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Average over neighbours. Both sides count, so that the descent stays where it is."""
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / width) ** 2)
    averages: NDArray[np.float64] = weights @ values / weights.sum(1)
    return averages
