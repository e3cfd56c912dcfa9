"""Types of the outputs of models."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["ModelOutputs", "Prediction"]

#: Outputs of a model: losses by name, predictions, or tensors in any structure, by its mode.
ModelOutputs: TypeAlias = Any

#: The prediction of a model for one sample: a data element, a dict, a tensor or the like.
Prediction: TypeAlias = Any
