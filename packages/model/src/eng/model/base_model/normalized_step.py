"""Training step whose losses are averaged over all samples or tokens of an update."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from eng.optim import LossNormalizer, OptimWrapper
from eng.utils import DataBatch

__all__ = ["take_normalized_step"]


def take_normalized_step(
    model: Any,
    bare: Any,
    data: DataBatch,
    optim_wrapper: OptimWrapper,
    normalizer: LossNormalizer,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Train on a batch whose loss counts by its samples or tokens.

    Args:
        model: The module to call: the model itself, or its wrapper.
        bare: The model itself, a :class:`BaseModel`.
        data: A batch from the data loader.
        optim_wrapper: Updates the parameters.
        normalizer: Counts samples or tokens.

    Returns:
        The total loss, and losses by name for the log: means of the batch.
    """
    with optim_wrapper.optim_context(model):
        data = bare.data_preprocessor(data, True)
        count = normalizer.count(data)
        losses = model._run_forward(data, "loss")
    loss, log_vars = bare.parse_losses(losses)
    optim_wrapper.check_losses(log_vars)
    optim_wrapper.update_normalized(loss, count)
    return loss, log_vars
