"""Tensor helpers: images, mesh grids and tracing."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentValueError

__all__ = ["TORCH_VERSION", "is_jit_tracing", "tensor2imgs", "torch_meshgrid"]

#: Version of the installed PyTorch.
TORCH_VERSION = torch.__version__


def is_jit_tracing() -> bool:
    """Whether ``torch.jit.trace`` is running."""
    return torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]


def torch_meshgrid(*tensors: Tensor) -> Sequence[Tensor]:
    """Call ``torch.meshgrid`` with matrix indexing, without its warning.

    Args:
        *tensors: Scalars or 1-D tensors.
    """
    return torch.meshgrid(*tensors, indexing="ij")


def tensor2imgs(
    tensor: Tensor,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    to_bgr: bool = True,
) -> list[np.ndarray]:
    """Convert a batch of normalized images to uint8 images.

    Args:
        tensor: Images of shape (N, C, H, W); C is 3 (RGB) or 1.
        mean: Subtracted mean of each channel; 0 when None.
        std: Standard deviation of each channel, the divisor; 1 when None.
        to_bgr: Whether to swap to BGR; must be False for one channel.

    Returns:
        N arrays of shape (H, W, 3), or (H, W) for one channel; values are clipped to [0, 255].

    Raises:
        ValueError: If the shape, ``mean``, ``std`` or ``to_bgr`` is invalid.
    """
    if tensor.ndim != 4 or tensor.shape[1] not in (1, 3):
        raise ArgumentValueError(
            f"tensor must have shape (N, 1 or 3, H, W), not {tuple(tensor.shape)}"
        )
    channels = tensor.shape[1]
    mean = (0.0,) * channels if mean is None else mean
    std = (1.0,) * channels if std is None else std
    if len(mean) != channels or len(std) != channels:
        raise ArgumentValueError(
            f"mean and std must have {channels} value(s) each, not {len(mean)} and {len(std)}"
        )
    if channels == 1 and to_bgr:
        raise ArgumentValueError("to_bgr must be False for images of one channel")
    images = tensor.detach().float().cpu().permute(0, 2, 3, 1).numpy()
    images = images * np.asarray(std, np.float32) + np.asarray(mean, np.float32)
    if to_bgr:
        images = images[..., ::-1]
    whole = np.clip(images, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(image[..., 0] if channels == 1 else image) for image in whole]
