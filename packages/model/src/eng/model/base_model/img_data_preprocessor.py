"""Preprocess images to a normalized batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from eng.registry import MODELS
from eng.utils import ArgumentTypeError, ArgumentValueError, DataBatch, override

from ..stack_batch import pad_to, stack_batch
from .data_preprocessor import BaseDataPreprocessor

__all__ = ["ImgDataPreprocessor"]


@MODELS.register_module()
class ImgDataPreprocessor(BaseDataPreprocessor):
    """Copies images to the device, swaps channels, normalizes, pads and stacks them.

    Args:
        mean: Mean of each channel, after channels are swapped, or one value for all of them.
            Defaults to None, no normalization.
        std: Standard deviation of each channel, or one value for all of them. Defaults to None.
        pad_size_divisor: Divisor of the height and width of a batch. Defaults to 1.
        pad_value: Padding value of the right and bottom borders, after normalization. Defaults to
            0.
        bgr_to_rgb: Whether to convert channels from BGR to RGB. Defaults to False.
        rgb_to_bgr: Whether to convert channels from RGB to BGR. Defaults to False.
        non_blocking: Whether to copy asynchronously from pinned memory. Defaults to False.

    Raises:
        ValueError: If only one of ``mean`` and ``std`` is set, their lengths differ, a ``std`` is
            0, or both conversions of channels are enabled.

    Examples:
        >>> preprocess = ImgDataPreprocessor(
        ...     mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
        ...     bgr_to_rgb=True, pad_size_divisor=32)
        >>> images = [torch.zeros(3, 60, 90), torch.zeros(3, 50, 100)]
        >>> preprocess(dict(inputs=images))['inputs'].shape
        torch.Size([2, 3, 64, 128])
    """

    def __init__(
        self,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        pad_size_divisor: int = 1,
        pad_value: float = 0,
        bgr_to_rgb: bool = False,
        rgb_to_bgr: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        if bgr_to_rgb and rgb_to_bgr:
            raise ArgumentValueError("set either bgr_to_rgb or rgb_to_bgr, not both")
        _check_statistics(mean, std)
        self._channel_conversion = bgr_to_rgb or rgb_to_bgr
        self._enable_normalize = mean is not None
        if mean is not None and std is not None:
            self.register_buffer("mean", _reshape_per_channel(mean), persistent=False)
            self.register_buffer("std", _reshape_per_channel(std), persistent=False)
        self.pad_size_divisor = pad_size_divisor
        self.pad_value = pad_value

    mean: Tensor
    std: Tensor

    @override
    def forward(self, data: DataBatch, training: bool = False) -> DataBatch:
        """Preprocess a batch.

        Args:
            data: A dict whose ``inputs`` are a list of images (C, H_i, W_i), or a batch of them
                (N, C, H, W); or a pair of those and the data samples.
            training: Ignored. Defaults to False.

        Returns:
            The batch with ``inputs`` of float32 (N, C, H, W), or of float64 if a model in double
            precision normalizes them. In a dict, ``data_samples`` defaults
            to None.

        Raises:
            TypeError: If ``inputs`` is neither a list of tensors nor a tensor.
            ValueError: If ``inputs`` is missing, or images have invalid dimensions or channels.
        """
        batch = self.cast_data(data)
        if isinstance(batch, dict):
            if "inputs" not in batch:
                raise ArgumentValueError(
                    f"missing key 'inputs' in the batch, which has {list(batch)}"
                )
            batch["inputs"] = self._preprocess_images(batch["inputs"])
            batch.setdefault("data_samples", None)
            return batch
        inputs, *others = batch
        return type(batch)([self._preprocess_images(inputs), *others])

    def _preprocess_images(self, inputs: object) -> Tensor:
        if isinstance(inputs, Tensor):
            if inputs.ndim != 4:
                raise ArgumentValueError(
                    "inputs must be a batch of images (N, C, H, W) or a list of images, "
                    f"not of shape {tuple(inputs.shape)}"
                )
            self._check_image(inputs[0], "inputs")
            return self._pad_images(self._normalize_images(inputs))
        if not isinstance(inputs, (list, tuple)):
            raise ArgumentTypeError(
                f"inputs must be a list of images or a batch, not {type(inputs).__name__}"
            )
        for index, image in enumerate(inputs):
            if not isinstance(image, Tensor):
                raise ArgumentTypeError(
                    f"inputs[{index}] must be a tensor, not {type(image).__name__}"
                )
            self._check_image(image, f"inputs[{index}]")
        if all(image.shape == inputs[0].shape for image in inputs):
            # Stack bytes before the conversion to float32 takes four times the memory.
            return self._pad_images(self._normalize_images(stack_batch(inputs)))
        return stack_batch(
            [self._normalize_images(image) for image in inputs],
            self.pad_size_divisor,
            self.pad_value,
        )

    def _check_image(self, image: Tensor, name: str) -> None:
        if image.ndim != 3:
            raise ArgumentValueError(
                f"{name} must be an image (C, H, W), not of shape {tuple(image.shape)}"
            )
        channels = image.shape[0]
        if self._channel_conversion and channels != 3:
            raise ArgumentValueError(
                f"{name} has {channels} channels: conversion between BGR and RGB needs 3"
            )
        if self._enable_normalize:
            wanted = max(self.mean.numel(), self.std.numel())
            if wanted not in (1, channels):
                raise ArgumentValueError(
                    f"size mismatch: {name} has {channels} channels, mean and std have {wanted}"
                )

    def _normalize_images(self, images: Tensor) -> Tensor:
        """Swap the channels of one image or a batch and normalize it."""
        if self._channel_conversion:
            images = images.flip(-3)
        if not self._enable_normalize:
            return images.float()
        if images.dtype is torch.float64:
            images = images.to(self.mean.dtype)
        # The difference is a new tensor of floats, so in-place division keeps the input.
        return images.sub(self.mean).div_(self.std)

    def _pad_images(self, batch: Tensor) -> Tensor:
        divisor = max(self.pad_size_divisor, 1)
        height, width = (-(-size // divisor) * divisor for size in batch.shape[-2:])
        if (height, width) == tuple(batch.shape[-2:]):
            return batch
        return pad_to(batch, (height, width), self.pad_value)

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ImgDataPreprocessor:
        # A model in half precision still normalizes its images in float32, one in double precision
        # needs inputs of its own precision.
        statistics = {name: buffer for name, buffer in self._buffers.items() if buffer is not None}
        super()._apply(fn, recurse)
        for name, buffer in statistics.items():
            moved = self._buffers[name]
            if moved is None or moved.dtype == buffer.dtype or moved.dtype is torch.float64:
                continue
            self._buffers[name] = buffer.to(moved.device, torch.float32)
        return self


def _reshape_per_channel(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)


def _check_statistics(mean: Sequence[float] | None, std: Sequence[float] | None) -> None:
    if (mean is None) != (std is None):
        raise ArgumentValueError(
            f"set both mean and std, to normalize images, or neither: mean is {mean}, std is {std}"
        )
    if mean is None or std is None:
        return
    lengths = {len(mean), len(std)} - {1}
    if 0 in lengths or len(lengths) > 1:
        raise ArgumentValueError(
            "mean and std must have one value for each channel, or one for all: "
            f"mean has {len(mean)}, std has {len(std)}"
        )
    if any(value == 0 for value in std):
        raise ArgumentValueError(f"std must not be 0, since images are divided by it: {list(std)}")
