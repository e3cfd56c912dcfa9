"""Tensors of different sizes in one batch."""

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
    """Stack tensors, padded at their right and bottom ends to a common size.

    Args:
        tensor_list: Tensors of the same number of dimensions and the same first one, the channels,
            such as images (C, H_i, W_i).
        pad_size_divisor: What every padded dimension is made divisible by; below 1 it counts as 1.
            Defaults to 1.
        pad_value: The value padded with. Defaults to 0.

    Returns:
        A tensor with one dimension more: (N, C, H, W) for images, with H and W the largest of all,
        rounded up.

    Raises:
        TypeError: If it is no list of tensors.
        ValueError: If there are none, or they differ in dimensions or channels.
    """
    if not isinstance(tensor_list, (list, tuple)):
        raise ArgumentTypeError(
            f"tensor_list must be a list of tensors, not {type(tensor_list).__name__}"
        )
    if not tensor_list:
        raise ArgumentValueError("tensor_list is empty: there is nothing to stack")
    for index, tensor in enumerate(tensor_list):
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"tensor_list[{index}] must be a tensor, not {type(tensor).__name__}"
            )
    first = tensor_list[0]
    for index, tensor in enumerate(tensor_list):
        if tensor.ndim != first.ndim or tensor.shape[:1] != first.shape[:1]:
            raise ArgumentValueError(
                "tensors of a batch must have the same number of dimensions and of channels, the "
                f"first dimension: tensor_list[0] has shape {tuple(first.shape)}, "
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
        sizes: What the last dimensions become, none smaller than it is.
        pad_value: The value padded with.

    Returns:
        The padded tensor.
    """
    missing = [size - have for size, have in zip(sizes, tensor.shape[-len(sizes) :], strict=True)]
    padding = [amount for each in reversed(missing) for amount in (0, each)]
    return functional.pad(tensor, padding, value=pad_value)


def _round_up(size: int, divisor: int) -> int:
    divisor = max(divisor, 1)
    return -(-size // divisor) * divisor
