"""The outcome of a trial of a batch size."""

from __future__ import annotations

from dataclasses import dataclass

from eng.utils import override

__all__ = ["BatchTrial"]


@dataclass(frozen=True)
class BatchTrial:
    """The outcome of a trial of a batch size.

    Attributes:
        size: The batch size.
        fits: Whether it fits in memory.
        peak_bytes: Peak of the memory of tensors on an accelerator; on a CPU of the process. None
            if it does not fit.
        samples: Number of samples of the data, None if it is unknown or does not bound the batch.
        reason: The error, or the signal that ended the process; empty if it fits.
    """

    size: int
    fits: bool
    peak_bytes: int | None = None
    samples: int | None = None
    reason: str = ""

    @override
    def __str__(self) -> str:
        if not self.fits:
            return f"batch size {self.size}: does not fit ({self.reason})"
        peak = "" if self.peak_bytes is None else f", peak {self.peak_bytes / 2**30:.2f} GiB"
        return f"batch size {self.size}: fits{peak}"
