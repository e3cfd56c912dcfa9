"""Build a model and what wraps it for several processes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from eng.model import convert_sync_batchnorm, revert_sync_batchnorm
from eng.registry import MODEL_WRAPPERS, MODELS, PartConfig, PartOrConfig

from ..errors import RunnerTypeError

__all__ = ["build_model", "synchronise_norms", "wrap_for_processes"]


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


def wrap_for_processes(
    model: nn.Module, cfg: PartConfig, find_unused_parameters: bool
) -> nn.Module:
    """Wrap a model for several processes.

    Args:
        model: The model, on its device.
        cfg: Config of the wrapper, whose ``type`` defaults to ``MMDistributedDataParallel``.
        find_unused_parameters: Default of that setting of ``MMDistributedDataParallel``.

    Returns:
        The wrapper.
    """
    settings = {"type": "MMDistributedDataParallel", **cfg}
    if settings["type"] == "MMDistributedDataParallel":
        settings.setdefault("broadcast_buffers", False)
        settings.setdefault("find_unused_parameters", find_unused_parameters)
        if torch.cuda.is_available():
            settings.setdefault("device_ids", [torch.cuda.current_device()])
    return MODEL_WRAPPERS.build(settings, default_args={"module": model})
