"""Build a model and prepare it for several processes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from eng.model import convert_sync_batchnorm, revert_sync_batchnorm
from eng.registry import MODELS, PartOrConfig

from ..errors import RunnerTypeError

__all__ = ["build_model", "synchronise_norms"]


def build_model(model: PartOrConfig[nn.Module]) -> nn.Module:
    """Build a model.

    Args:
        model: The model, which is returned as it is, or its config.

    Returns:
        The model.

    Raises:
        RunnerConfigError: If it is neither.
    """
    if isinstance(model, nn.Module):
        return model
    if not isinstance(model, Mapping):
        raise RunnerTypeError(f"model must be a module or a config, not {type(model).__name__}")
    return MODELS.build(model)


def synchronise_norms(model: nn.Module, distributed: bool, sync_bn: str | None) -> nn.Module:
    """Convert batch normalisation to a synchronised one in several processes, or revert it.

    Args:
        model: The model. It is changed.
        distributed: Whether there are several processes.
        sync_bn: Implementation, ``'torch'`` or ``'mmcv'``; None leaves it as it is in several
            processes.

    Returns:
        The model.
    """
    if not distributed:
        return revert_sync_batchnorm(model)
    return model if sync_bn is None else convert_sync_batchnorm(model, sync_bn)
