"""Training step of optimizers that compute the loss several times, by a closure."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from eng.dist import all_reduce, get_world_size
from eng.optim import OptimWrapper
from eng.utils import DataBatch

__all__ = ["take_step_with_closure"]


def take_step_with_closure(
    model: Any, bare: Any, data: DataBatch, optim_wrapper: OptimWrapper
) -> tuple[Tensor, dict[str, Tensor]]:
    """Train on a batch with an optimizer whose step takes a closure.

    Args:
        model: The module to call: the model itself, or its wrapper.
        bare: The model itself, a :class:`BaseModel`.
        data: A batch from the data loader.
        optim_wrapper: Updates the parameters.

    Returns:
        The total loss, and losses by name for the log, as they were before the update.
    """
    with optim_wrapper.optim_context(model):
        data = bare.data_preprocessor(data, True)
    outcomes: list[tuple[Tensor, dict[str, Tensor]]] = []

    def evaluate() -> Tensor:
        optim_wrapper.zero_grad()
        with torch.enable_grad():
            with optim_wrapper.optim_context(model):
                losses = model._run_forward(data, "loss")
            loss, log_vars = bare.parse_losses(losses)
            if not outcomes:
                optim_wrapper.check_losses(log_vars)
                outcomes.append((loss.detach(), log_vars))
            optim_wrapper.backward_part(loss, 1)
        return _average(loss.detach())

    optim_wrapper.update_with_closure(evaluate)
    return outcomes[0]


def _average(loss: Tensor) -> Tensor:
    """Average a loss over processes, so that all of them decide the same by it."""
    if get_world_size() > 1:
        loss = loss.clone()
        all_reduce(loss, "mean")
    return loss
