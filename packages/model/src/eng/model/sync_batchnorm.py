"""Convert batch normalization between one and several processes."""

from __future__ import annotations

import importlib
import sys

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from eng.utils import override

__all__ = ["convert_sync_batchnorm", "revert_sync_batchnorm"]


def convert_sync_batchnorm(module: nn.Module, implementation: str = "torch") -> nn.Module:
    """Replace every batch normalization with a synchronized one.

    Parameters and buffers are moved, not copied: an optimizer over them and shared parameters stay
    valid. Convert before the model is wrapped.

    Args:
        module: The module. It is changed, unless it is itself such a layer.
        implementation: ``'torch'`` (default) for :class:`torch.nn.SyncBatchNorm`, ``'mmcv'`` for
            ``mmcv.ops.SyncBatchNorm``, which must be installed.

    Returns:
        The module.

    Raises:
        ValueError: If the implementation is unknown.
        ImportError: If it is not installed.
    """
    target = _find_implementation(implementation)
    # Layers that are already synchronized, of either implementation, are unchanged.
    return _replace(module, _BatchNorm, target, spare=_list_sync_classes())


def revert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every synchronized batch normalization with one for a single process.

    A model for several processes then runs in one, also on the CPU. Parameters and buffers are
    moved, not copied.

    Args:
        module: The module. It is changed, unless it is itself such a layer.

    Returns:
        The module.
    """
    return _replace(module, _list_sync_classes(), _BatchNormXd)


class _BatchNormXd(_BatchNorm):
    """Batch normalization of inputs of any number of dimensions, like a synchronized one."""

    @override
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected an input (N, C, ...), not of {input.dim()} dimensions")


def _replace(
    module: nn.Module,
    source: type[nn.Module] | tuple[type[nn.Module], ...],
    target: type[nn.Module],
    spare: tuple[type[nn.Module], ...] = (),
    done: dict[int, nn.Module] | None = None,
) -> nn.Module:
    """Return a module whose layers of some classes are replaced with another class."""
    # A shared layer is replaced once and stays shared.
    done = {} if done is None else done
    if id(module) in done:
        return done[id(module)]
    replacement = module
    if isinstance(module, torch.jit.ScriptModule):
        return module  # its layers are compiled and cannot be replaced
    if isinstance(module, source) and not isinstance(module, spare):
        replacement = _convert(module, target)
    done[id(module)] = replacement
    for name, child in module._modules.items():
        if child is not None and (new := _replace(child, source, target, spare, done)) is not child:
            replacement._modules[name] = new
    return replacement


def _convert(layer: nn.Module, target: type[nn.Module]) -> nn.Module:
    # On the meta device, since its parameters and buffers are replaced.
    with torch.device("meta"):
        made = target(
            layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats
        )
    for name in ("weight", "bias"):
        if name in layer._parameters:
            made._parameters[name] = layer._parameters[name]
    for name, buffer in layer._buffers.items():
        made._buffers[name] = buffer
    made.training = layer.training
    if hasattr(layer, "qconfig"):
        made.qconfig = layer.qconfig
    if hasattr(layer, "process_group") and hasattr(made, "process_group"):
        made.process_group = layer.process_group
    return made


def _find_implementation(name: str) -> type[nn.Module]:
    if name == "torch":
        return nn.SyncBatchNorm
    if name != "mmcv":
        raise ValueError(f"implementation must be 'torch' or 'mmcv', not {name!r}")
    try:
        return importlib.import_module("mmcv.ops").SyncBatchNorm
    except ImportError as error:
        raise ImportError(
            "implementation='mmcv' needs mmcv with compiled operators; use 'torch' without it"
        ) from error


def _list_sync_classes() -> tuple[type[nn.Module], ...]:
    """List the synchronized classes. A model has layers of mmcv only if mmcv was imported."""
    of_mmcv = getattr(sys.modules.get("mmcv.ops"), "SyncBatchNorm", None)
    return (nn.SyncBatchNorm,) if of_mmcv is None else (nn.SyncBatchNorm, of_mmcv)
