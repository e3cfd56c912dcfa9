"""Sample-level annotations and predictions, such as class labels."""

from __future__ import annotations

import torch
from torch import Tensor

from eng.utils import ArgumentTypeError, ArgumentValueError

from .data_element import BaseDataElement

__all__ = ["LabelData"]


class LabelData(BaseDataElement):
    """Sample-level annotations or predictions, such as class labels.

    Args:
        metainfo: Metainfo by name. Defaults to None, empty.
        **kwargs: Data fields by name.

    Examples:
        >>> LabelData.label_to_onehot(torch.tensor([0, 2]), num_classes=4)
        tensor([1, 0, 1, 0])
        >>> LabelData.onehot_to_label(torch.tensor([1, 0, 1, 0]))
        tensor([0, 2])
    """

    @staticmethod
    def onehot_to_label(onehot: Tensor) -> Tensor:
        """Convert a one-hot (or multi-hot) vector to class indices.

        Args:
            onehot: Ones and zeros, shape ``(num_classes,)``.

        Returns:
            Ascending indices as int64, shape ``(number of ones,)``.

        Raises:
            TypeError: If ``onehot`` is not a tensor.
            ValueError: If it is not one-dimensional, or has other values.
        """
        _check_tensor("onehot", onehot)
        if onehot.ndim != 1 or not bool(((onehot == 0) | (onehot == 1)).all()):
            raise ArgumentValueError(
                f"onehot must be a vector of ones and zeros, not {onehot} of shape "
                f"{tuple(onehot.shape)}"
            )
        return onehot.nonzero().squeeze(1)

    @staticmethod
    def label_to_onehot(label: Tensor, num_classes: int) -> Tensor:
        """Convert class indices to a one-hot (or multi-hot) vector.

        Args:
            label: Class indices in ``[0, num_classes)``, shape ``(number of labels,)`` or ``()``.
            num_classes: The number of classes.

        Returns:
            Ones at the labels and zeros elsewhere, shape ``(num_classes,)``, with the dtype and
            device of ``label``.

        Raises:
            TypeError: If ``label`` is not a tensor of integers.
            ValueError: If it has more than one dimension, or a label is out of bounds.
        """
        _check_tensor("label", label)
        if label.dtype.is_floating_point or label.dtype.is_complex or label.dtype is torch.bool:
            raise ArgumentTypeError(f"label must have an integer dtype, not {label.dtype}")
        if label.ndim > 1:
            raise ArgumentValueError(
                f"label must have at most one dimension, not shape {tuple(label.shape)}"
            )
        numbers = label.reshape(-1).long()
        if bool(((numbers < 0) | (numbers >= num_classes)).any()):
            raise ArgumentValueError(
                f"label out of bounds: expected [0, num_classes) with num_classes={num_classes}, "
                f"not {numbers.tolist()}"
            )
        onehot = label.new_zeros(num_classes)
        onehot[numbers] = 1
        return onehot


def _check_tensor(name: str, value: object) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name} must be a tensor, not {type(value).__name__}")
