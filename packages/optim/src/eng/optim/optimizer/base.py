"""The interface that all optimizer wrappers have, whatever updates the parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from eng.utils import ArgumentTypeError

from .base_settings import restored_base_settings, settings_beside_groups

__all__ = ["BaseOptimWrapper"]


class BaseOptimWrapper(ABC):
    """The base of optimizer wrappers, to derive one for another engine from.

    Args:
        optimizer: The optimizer that does the update.

    Attributes:
        base_param_settings: With several parameter groups, the settings that they start from, as a
            group that is scheduled with them, so that the learning rate before any factor of a
            group is seen. None with one group.

    Raises:
        TypeError: If ``optimizer`` is not an optimizer.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(
                f"optimizer must be a torch.optim.Optimizer, not {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.base_param_settings = settings_beside_groups(optimizer)

    @abstractmethod
    def update_params(
        self,
        loss: Tensor,
        step_kwargs: dict[str, Any] | None = None,
        zero_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Backpropagate a loss and update the parameters."""

    @abstractmethod
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of a loss."""

    @abstractmethod
    def zero_grad(self, **kwargs: Any) -> None:
        """Drop the gradients."""

    @abstractmethod
    def step(self, **kwargs: Any) -> None:
        """Update the parameters."""

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer; of several groups, with ``base_param_settings``."""
        state = self.optimizer.state_dict()
        if self.base_param_settings is not None:
            state["base_param_settings"] = dict(self.base_param_settings)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of the optimizer.

        Args:
            state_dict: What :meth:`state_dict` gave, or that of the optimizer alone.
        """
        state = dict(state_dict)
        saved = state.pop("base_param_settings", None)
        self.optimizer.load_state_dict(state)
        if self.base_param_settings is not None:
            self.base_param_settings = restored_base_settings(
                self.base_param_settings, saved, self.optimizer.param_groups[0]
            )

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The parameter groups of the optimizer, and after several the base settings."""
        groups = self.optimizer.param_groups
        base = self.base_param_settings
        return groups if base is None else [*groups, base]

    @property
    def defaults(self) -> dict[str, Any]:
        """The default settings of the optimizer."""
        return self.optimizer.defaults

    def get_lr(self) -> dict[str, list[float]]:
        """The learning rate of every parameter group, under the key ``lr``.

        With several groups, ``base_lr`` before it is the rate without factors of groups.
        """
        rates = {"lr": [group["lr"] for group in self.optimizer.param_groups]}
        if self.base_param_settings is None or "lr" not in self.base_param_settings:
            return rates
        return {"base_lr": [self.base_param_settings["lr"]], **rates}

    def get_momentum(self) -> dict[str, list[float]]:
        """The momentum of every parameter group, under the key ``momentum``.

        It is the first beta where an optimizer has betas, and 0 where it has neither.
        """
        return {"momentum": [_get_group_momentum(group) for group in self.optimizer.param_groups]}


def _get_group_momentum(group: dict[str, Any]) -> float:
    if "momentum" in group:
        return group["momentum"]
    if "betas" in group:
        return group["betas"][0]
    return 0
