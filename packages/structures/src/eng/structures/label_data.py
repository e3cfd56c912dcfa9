"""Labels of one sample."""

from __future__ import annotations

import torch
from torch import Tensor

from eng.utils import ArgumentTypeError, ArgumentValueError

from .data_element import BaseDataElement

__all__ = ["LabelData"]


class LabelData(BaseDataElement):
    """Annotations or predictions of a whole sample, such as its class or classes.

    Args:
        metainfo: Fields of the metainfo. Defaults to None, none.
        **kwargs: Fields of the data.

    Examples:
        >>> LabelData.label_to_onehot(torch.tensor([0, 2]), num_classes=4)
        tensor([1, 0, 1, 0])
        >>> LabelData.onehot_to_label(torch.tensor([1, 0, 1, 0]))
        tensor([0, 2])
    """

    @staticmethod
    def onehot_to_label(onehot: Tensor) -> Tensor:
        """The numbers of the classes that are marked.

        Args:
            onehot: Ones and zeros, shape ``(num_classes,)``.

        Returns:
            Numbers of type int64, shape ``(number of ones,)``, ascending.

        Raises:
            TypeError: If it is no tensor.
            ValueError: If it has another number of dimensions or other values.
        """
        _need_tensor("onehot", onehot)
        if onehot.ndim != 1 or not bool(((onehot == 0) | (onehot == 1)).all()):
            raise ArgumentValueError(
                f"onehot must be one dimension of ones and zeros, not {onehot} of shape "
                f"{tuple(onehot.shape)}"
            )
        return onehot.nonzero().squeeze(1)

    @staticmethod
    def label_to_onehot(label: Tensor, num_classes: int) -> Tensor:
        """Mark classes.

        Args:
            label: Numbers of the classes, shape ``(number of labels,)`` or ``()``, each in
                ``[0, num_classes)``.
            num_classes: The number of all classes.

        Returns:
            A one at each label and zeros elsewhere, shape ``(num_classes,)``, of the type and on
            the device of ``label``.

        Raises:
            TypeError: If it is no tensor of whole numbers.
            ValueError: If it has more dimensions, or a label is out of range.
        """
        _need_tensor("label", label)
        if label.dtype.is_floating_point or label.dtype.is_complex or label.dtype is torch.bool:
            raise ArgumentTypeError(f"label must hold whole numbers, not {label.dtype}")
        if label.ndim > 1:
            raise ArgumentValueError(
                f"label must have at most one dimension, not shape {tuple(label.shape)}"
            )
        numbers = label.reshape(-1).long()
        if bool(((numbers < 0) | (numbers >= num_classes)).any()):
            raise ArgumentValueError(
                f"labels must be in [0, num_classes) with num_classes={num_classes}, "
                f"not {numbers.tolist()}"
            )
        onehot = label.new_zeros(num_classes)
        onehot[numbers] = 1
        return onehot


def _need_tensor(name: str, value: object) -> None:
    if not isinstance(value, Tensor):
        raise ArgumentTypeError(f"{name} must be a tensor, not {type(value).__name__}")
