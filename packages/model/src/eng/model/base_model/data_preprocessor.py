"""Preprocess batches of a data loader for a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from eng.registry import MODELS
from eng.utils import DataBatch, override

from .vendor_devices import VendorDevices

__all__ = ["BaseDataPreprocessor"]


@MODELS.register_module()
class BaseDataPreprocessor(VendorDevices, nn.Module):
    """Copies a batch to the device of the model.

    Args:
        non_blocking: Whether to copy asynchronously from pinned memory. Defaults to False.
    """

    def __init__(self, non_blocking: bool = False) -> None:
        super().__init__()
        self.non_blocking = non_blocking
        self._device = torch.device("cpu")

    @property
    def device(self) -> torch.device:
        """The device that batches are copied to."""
        return self._device

    def cast_data(self, data: DataBatch) -> DataBatch:
        """Copy every tensor of a batch to the device.

        Args:
            data: Tensors, numbers, strings, None and objects with a method ``to``, in any nesting
                of dicts, lists, tuples and named tuples.

        Returns:
            The same structure on the device. Mappings of any class become dicts.
        """
        # The most frequent types first; a check for Mapping takes ten times as long as for dict.
        if isinstance(data, Tensor):
            device = self.device
            if data.device == device:  # which takes a fifth of the time of to()
                return data
            return data.to(device, non_blocking=self.non_blocking)
        if isinstance(data, dict):
            return {key: self.cast_data(value) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            values = map(self.cast_data, data)
            return type(data)(*values) if hasattr(data, "_fields") else type(data)(values)
        if isinstance(data, (str, bytes)) or data is None:
            return data
        if isinstance(data, Mapping):
            return {key: self.cast_data(value) for key, value in data.items()}
        if hasattr(data, "to"):
            # Other people's classes may take a device alone.
            options = {"non_blocking": True} if self.non_blocking else {}
            return data.to(self.device, **options)
        return data

    @override
    def forward(self, data: DataBatch, training: bool = False) -> DataBatch:
        """Preprocess a batch.

        Args:
            data: A batch from the data loader.
            training: Whether the model is trained, for augmentations of a subclass. Defaults to
                False.

        Returns:
            The batch on the device.
        """
        return self.cast_data(data)

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> BaseDataPreprocessor:
        # Called when a parent module is moved; this one may have no tensors that show the device.
        self._device = _find_target(fn, self._device)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    @override
    def to(self, *args: Any, **kwargs: Any) -> BaseDataPreprocessor:
        """Set the device, see :meth:`torch.nn.Module.to`.

        Args:
            *args: Device, dtype or tensor.
            **kwargs: The same by name.

        Returns:
            The preprocessor itself.
        """
        device = torch._C._nn._parse_to(*args, **kwargs)[0]
        if device is not None:
            self._device = torch.device(device)
        return super().to(*args, **kwargs)

    @override
    def cuda(self, *args: Any, **kwargs: Any) -> BaseDataPreprocessor:
        """Set the device to a GPU.

        Args:
            *args: The device. Defaults to the current one.
            **kwargs: The same by name.

        Returns:
            The preprocessor itself.
        """
        device = args[0] if args else kwargs.get("device")
        if device is None or isinstance(device, int):
            device = torch.device("cuda", torch.cuda.current_device() if device is None else device)
        self._device = torch.device(device)
        return super().cuda(self._device)

    @override
    def cpu(self, *args: object, **kwargs: object) -> BaseDataPreprocessor:
        """Set the device to the CPU.

        Args:
            *args: Ignored.
            **kwargs: Ignored.

        Returns:
            The preprocessor itself.
        """
        self._device = torch.device("cpu")
        return super().cpu()


def _find_target(move: Callable[[Tensor], Tensor], device: torch.device) -> torch.device:
    """Find the device to which a function moves tensors."""
    try:
        moved = move(torch.empty(0, device=device))
    except NotImplementedError:  # tensors cannot be copied out of the meta device
        return device
    return moved.device if isinstance(moved, Tensor) else device
