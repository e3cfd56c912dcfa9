"""Stack tensors of different sizes to a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from eng.utils import ArgumentTypeError, ArgumentValueError

__all__ = ["stack_batch"]


def stack_batch(
    tensor_list: Sequence[Tensor], pad_size_divisor: int = 1, pad_value: float = 0
) -> Tensor:
    """Stack tensors, padded at the right and bottom to a common size.

    Args:
        tensor_list: Tensors of the same number of dimensions and of channels, the first dimension,
            such as images (C, H_i, W_i).
        pad_size_divisor: Divisor of every padded dimension; values below 1 are 1. Defaults to 1.
        pad_value: The padding value. Defaults to 0.

    Returns:
        A tensor with a batch dimension, such as (N, C, H, W) of images, with the maxima H and W
        rounded up.

    Raises:
        TypeError: If it is not a list of tensors.
        ValueError: If it is empty, or the tensors differ in dimensions or channels.
    """
    if not isinstance(tensor_list, (list, tuple)):
        raise ArgumentTypeError(
            f"tensor_list must be a list of tensors, not {type(tensor_list).__name__}"
        )
    if not tensor_list:
        raise ArgumentValueError("tensor_list must not be empty")
    for index, tensor in enumerate(tensor_list):
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"tensor_list[{index}] must be a tensor, not {type(tensor).__name__}"
            )
    first = tensor_list[0]
    for index, tensor in enumerate(tensor_list):
        if tensor.ndim != first.ndim or tensor.shape[:1] != first.shape[:1]:
            raise ArgumentValueError(
                "size mismatch: tensors of a batch must have the same number of dimensions and of "
                f"channels, the first dimension: tensor_list[0] has shape {tuple(first.shape)}, "
                f"tensor_list[{index}] has {tuple(tensor.shape)}"
            )
    largest = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensor_list), strict=True)]
    padded = [*largest[:1], *(_round_up(size, pad_size_divisor) for size in largest[1:])]
    if all(list(tensor.shape) == padded for tensor in tensor_list):
        return torch.stack(tuple(tensor_list))
    return torch.stack([pad_to(tensor, padded[1:], pad_value) for tensor in tensor_list])


def pad_to(tensor: Tensor, sizes: Sequence[int], pad_value: float) -> Tensor:
    """Pad the last dimensions of a tensor at their ends.

    Args:
        tensor: The tensor.
        sizes: New sizes of the last dimensions, not smaller than the current ones.
        pad_value: The padding value.

    Returns:
        The padded tensor.
    """
    missing = [size - have for size, have in zip(sizes, tensor.shape[-len(sizes) :], strict=True)]
    padding = [amount for each in reversed(missing) for amount in (0, each)]
    return functional.pad(tensor, padding, value=pad_value)


def _round_up(size: int, divisor: int) -> int:
    divisor = max(divisor, 1)
    return -(-size // divisor) * divisor
