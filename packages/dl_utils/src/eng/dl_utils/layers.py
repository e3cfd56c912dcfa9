"""Detect normalization layers in a model."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

__all__ = ["has_batch_norm", "is_norm"]

_NORMS = (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.LocalResponseNorm)


def has_batch_norm(model: nn.Module) -> bool:
    """Whether a model has a batch normalization layer at any depth."""
    return any(
        isinstance(m, _BatchNorm) and not isinstance(m, _InstanceNorm) for m in model.modules()
    )


def is_norm(layer: nn.Module, exclude: type | tuple[type, ...] | None = None) -> bool:
    """Whether a layer is a normalization layer.

    Args:
        layer: The layer.
        exclude: Types whose instances are not counted.

    Raises:
        TypeError: If ``exclude`` is neither a type nor a tuple of types.
    """
    if exclude is not None:
        types = exclude if isinstance(exclude, tuple) else (exclude,)
        if not all(isinstance(kind, type) for kind in types):
            raise TypeError(f"exclude must be a type, a tuple of types or None, not {exclude!r}")
        if isinstance(layer, types):
            return False
    return isinstance(layer, _NORMS)
