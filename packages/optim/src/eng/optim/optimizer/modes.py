"""Modes of optimizers that keep other weights for training than for evaluation."""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["copy_weights", "has_modes", "modes_of", "put_weights"]


class ModalOptimizer(Protocol):
    """An optimizer with modes, as of "The Road Less Scheduled" (Defazio et al., 2024)."""

    def train(self) -> Any:
        """Put the weights of training into the parameters."""

    def eval(self) -> Any:
        """Put the weights of evaluation into the parameters."""


def has_modes(optimizer: object) -> bool:
    """Whether an optimizer distinguishes training and evaluation.

    Args:
        optimizer: The optimizer.

    Returns:
        True with methods ``train`` and ``eval``.
    """
    return callable(getattr(optimizer, "train", None)) and callable(
        getattr(optimizer, "eval", None)
    )


def modes_of(optimizer: Optimizer) -> ModalOptimizer:
    """Return an optimizer that has modes, as what has them."""
    return cast(ModalOptimizer, optimizer)


def copy_weights(optimizer: Optimizer) -> list[Tensor]:
    """Copy the parameters of an optimizer, in the order of its groups."""
    return [p.detach().clone() for group in optimizer.param_groups for p in group["params"]]


@torch.no_grad()
def put_weights(optimizer: Optimizer, weights: list[Tensor]) -> None:
    """Put copied weights back. Those of another shape are left out.

    Args:
        optimizer: The optimizer.
        weights: Result of :func:`copy_weights`.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for parameter, kept in zip(parameters, weights, strict=False):
        if parameter.shape == kept.shape:
            parameter.copy_(kept)
