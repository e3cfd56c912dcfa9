"""Interface of all optimizer wrappers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from eng.utils import ArgumentTypeError, StateDict

from ..types import Arguments, ParamGroup
from .base_settings import restore_base_settings, settings_beside_groups
from .micro_batches import MicroBatches
from .modes import copy_weights, has_modes, modes_of, put_weights

__all__ = ["BaseOptimWrapper"]


class BaseOptimWrapper(ABC):
    """Base class of optimizer wrappers, also for other training engines.

    Args:
        optimizer: The optimizer that updates the parameters.

    Attributes:
        base_param_settings: With several parameter groups, the settings that they start from, as
            one more group that is scheduled with them. It has the learning rate without the factors
            of groups. None with one group.
        takes_other_steps: Whether a training step is not one forward pass and one backward pass, so
            that :class:`eng.model.BaseModel` takes it in another way.
        stop_on_nan_loss: Whether a training step checks its losses by ``check_losses``.

    Raises:
        TypeError: If ``optimizer`` is not an optimizer.
    """

    # Of the class, so that wrappers which do not call this constructor have them as well.
    takes_other_steps: bool = False
    stop_on_nan_loss: bool = False
    _micro_batches: MicroBatches | None = None
    #: Weights of training, while the parameters have those of evaluation.
    _training_weights: list[Tensor] | None = None

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
        step_kwargs: Arguments | None = None,
        zero_kwargs: Arguments | None = None,
    ) -> None:
        """Backpropagate a loss and update the parameters."""

    @abstractmethod
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of a loss."""

    @abstractmethod
    def zero_grad(self, **kwargs: Any) -> None:
        """Clear the gradients."""

    @abstractmethod
    def step(self, **kwargs: Any) -> None:
        """Update the parameters."""

    @property
    def micro_batches(self) -> MicroBatches | None:
        """Size of the parts in which :class:`eng.model.BaseModel` trains a batch.

        It is for runs that go on when memory runs out. None, the default, are batches as a whole.
        """
        return self._micro_batches

    @micro_batches.setter
    def micro_batches(self, micro_batches: MicroBatches | None) -> None:
        self._micro_batches = micro_batches
        self.takes_other_steps = micro_batches is not None

    @property
    def is_training(self) -> bool:
        """Whether the parameters have the weights of training. True without modes."""
        return self._training_weights is None

    def train(self) -> None:
        """Put the weights of training into the parameters, of an optimizer that has others as well.

        Those of before :meth:`eval` come back to the bit. Optimizers without ``train`` and ``eval``
        are left as they are.
        """
        if not has_modes(self.optimizer):
            return
        modes_of(self.optimizer).train()
        if self._training_weights is not None:
            put_weights(self.optimizer, self._training_weights)
            self._training_weights = None

    def eval(self) -> None:
        """Put the weights for evaluation into the parameters, where the optimizer has others."""
        if self.is_training and has_modes(self.optimizer):
            self._training_weights = copy_weights(self.optimizer)
            modes_of(self.optimizer).eval()

    def state_dict(self) -> StateDict:
        """Return the state of the optimizer and, with several groups, ``base_param_settings``.

        While the parameters have the weights of evaluation, it has those of training as
        ``training_weights``.
        """
        state = self.optimizer.state_dict()
        if self.base_param_settings is not None:
            state["base_param_settings"] = dict(self.base_param_settings)
        if self._training_weights is not None:
            state["training_weights"] = list(self._training_weights)
        return state

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Load a state of the optimizer, which trains afterwards. The weights are loaded before.

        Args:
            state_dict: Result of :meth:`state_dict`, or of the optimizer's own.
        """
        state = dict(state_dict)
        saved = state.pop("base_param_settings", None)
        weights = state.pop("training_weights", None)
        self.optimizer.load_state_dict(state)
        if has_modes(self.optimizer):
            self._training_weights = weights
            self.train()
        if self.base_param_settings is not None:
            self.base_param_settings = restore_base_settings(
                self.base_param_settings, saved, self.optimizer.param_groups[0]
            )

    @property
    def param_groups(self) -> list[ParamGroup]:
        """The parameter groups of the optimizer and, with several, the base settings as last."""
        groups = self.optimizer.param_groups
        base = self.base_param_settings
        return groups if base is None else [*groups, base]

    @property
    def defaults(self) -> Arguments:
        """The default settings of the optimizer."""
        return self.optimizer.defaults

    def get_lr(self) -> dict[str, list[float]]:
        """Return the learning rate of every parameter group, under the key ``lr``.

        With several groups, ``base_lr`` is the rate without the factors of groups.
        """
        rates = {"lr": [group["lr"] for group in self.optimizer.param_groups]}
        if self.base_param_settings is None or "lr" not in self.base_param_settings:
            return rates
        return {"base_lr": [self.base_param_settings["lr"]], **rates}

    def get_momentum(self) -> dict[str, list[float]]:
        """Return the momentum of every parameter group, under the key ``momentum``.

        It is the first beta of optimizers with betas, and 0 of those with neither.
        """
        return {"momentum": [_get_group_momentum(group) for group in self.optimizer.param_groups]}


def _get_group_momentum(group: ParamGroup) -> float:
    if "momentum" in group:
        return group["momentum"]
    if "betas" in group:
        return group["betas"][0]
    return 0
