"""Read, plot and compare recorded runs. Nothing here imports torch."""

from .curves import Curve, RunCurves, read_curves
from .start import RunStart, find_starts

__all__ = ["Curve", "RunCurves", "RunStart", "find_starts", "read_curves"]
