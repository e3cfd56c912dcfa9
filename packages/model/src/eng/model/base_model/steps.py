"""Training step of models and their wrappers."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eng.dl_utils import unwrap
from eng.optim import OptimWrapper
from eng.utils import DataBatch

from ..types import ModelOutputs
from .closure_step import take_step_with_closure
from .micro_batches import take_step_in_parts
from .normalized_step import take_normalized_step

__all__ = ["preprocessor_of", "run_forward", "take_train_step"]


def preprocessor_of(model: Any) -> Any:
    """Return the data preprocessor of a model, in a fifth of the time of an attribute.

    A module finds its submodules after a failed look-up, whose error is formatted each time.

    Args:
        model: The model, a :class:`BaseModel`.

    Returns:
        Its ``data_preprocessor``.
    """
    found = model._modules.get("data_preprocessor")
    return model.data_preprocessor if found is None else found


def run_forward(model: nn.Module, data: DataBatch, mode: str) -> ModelOutputs:
    """Call a model with a preprocessed batch, as keyword or positional arguments.

    Args:
        model: The model, or its wrapper.
        data: Output of the data preprocessor.
        mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

    Returns:
        The outputs of the model.

    Raises:
        TypeError: If the batch is neither a dict nor a list or tuple.
    """
    if isinstance(data, dict):
        return model(**data, mode=mode)
    if isinstance(data, (list, tuple)):
        return model(*data, mode=mode)
    raise TypeError(
        f"the data preprocessor of {type(unwrap(model)).__name__} must return a dict, a list or a "
        f"tuple, not {type(data).__name__}"
    )


def take_train_step(
    model: Any, bare: Any, data: DataBatch, optim_wrapper: OptimWrapper
) -> tuple[Tensor, dict[str, Tensor]]:
    """Preprocess a batch, compute its losses and update the parameters.

    Args:
        model: The module to call: the model itself, or its wrapper.
        bare: The model itself, a :class:`BaseModel`.
        data: A batch from the data loader.
        optim_wrapper: Updates the parameters.

    Returns:
        The total loss, and losses by name for the log, on their device.
    """
    if optim_wrapper.takes_other_steps:
        return _take_other_step(model, bare, data, optim_wrapper)
    with optim_wrapper.optim_context(model):
        data = preprocessor_of(bare)(data, True)
        losses = model._run_forward(data, "loss")
    loss, log_vars = bare.parse_losses(losses)
    if optim_wrapper.stop_on_nan_loss:
        optim_wrapper.check_losses(log_vars)
    optim_wrapper.update_params(loss)
    return loss, log_vars


def _take_other_step(
    model: Any, bare: Any, data: DataBatch, optim_wrapper: OptimWrapper
) -> tuple[Tensor, dict[str, Tensor]]:
    """Take a step that is not one forward pass and one backward pass."""
    if optim_wrapper.micro_batches is not None:
        return take_step_in_parts(model, bare, data, optim_wrapper, optim_wrapper.micro_batches)
    normalizer = optim_wrapper.loss_normalizer
    if normalizer is not None:
        return take_normalized_step(model, bare, data, optim_wrapper, normalizer)
    return take_step_with_closure(model, bare, data, optim_wrapper)
