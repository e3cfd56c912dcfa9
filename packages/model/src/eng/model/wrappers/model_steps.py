"""Training, validation and test steps of wrappers around a model."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eng.optim import OptimWrapper

from ..base_model.steps import run_forward, take_train_step

__all__ = ["ModelSteps"]


class ModelSteps(nn.Module):
    """Give a wrapper the steps of the :class:`BaseModel` inside.

    The forward pass of training goes through the wrapper, so that gradients are shared. Predicting
    is left to the model itself: there are no gradients.

    Attributes:
        module: The model.
    """

    module: Any

    def train_step(
        self, data: dict[str, Any] | tuple | list, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Preprocess a batch, compute its losses and update the parameters.

        Args:
            data: A batch from the data loader.
            optim_wrapper: Updates the parameters.

        Returns:
            Losses by name, for the log.
        """
        _, log_vars = take_train_step(self, self.module, data, optim_wrapper)
        return log_vars

    def val_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Predict for a batch of validation.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction a sample.
        """
        return self.module.val_step(data)

    def test_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Predict for a batch of testing.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction a sample.
        """
        return self.module.test_step(data)

    def _run_forward(self, data: dict[str, Any] | tuple | list, mode: str) -> Any:
        """Call the wrapper with a preprocessed batch, see :meth:`BaseModel._run_forward`."""
        return run_forward(self, data, mode)
