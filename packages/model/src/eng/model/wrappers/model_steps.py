"""Training, validation and test steps of model wrappers."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eng.optim import OptimWrapper
from eng.utils import DataBatch

from ..base_model.steps import run_forward, take_train_step
from ..types import ModelOutputs, Prediction

__all__ = ["ModelSteps"]


class ModelSteps(nn.Module):
    """Adds the steps of the wrapped :class:`BaseModel` to a wrapper.

    The forward pass of training goes through the wrapper, so that gradients are synchronized.
    Predictions call the model itself: without gradients, synchronization is not needed.

    Attributes:
        module: The model.
    """

    module: Any

    def train_step(self, data: DataBatch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Preprocess a batch, compute its losses and update the parameters.

        Args:
            data: A batch from the data loader.
            optim_wrapper: Updates the parameters.

        Returns:
            Losses by name, for the log.
        """
        _, log_vars = take_train_step(self, self.module, data, optim_wrapper)
        return log_vars

    def val_step(self, data: DataBatch) -> list[Prediction]:
        """Predict a validation batch.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        return self.module.val_step(data)

    def test_step(self, data: DataBatch) -> list[Prediction]:
        """Predict a test batch.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        return self.module.test_step(data)

    def _run_forward(self, data: DataBatch, mode: str) -> ModelOutputs:
        """Call the wrapper with a preprocessed batch, see :meth:`BaseModel._run_forward`."""
        return run_forward(self, data, mode)
