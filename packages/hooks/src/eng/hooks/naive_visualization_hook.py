"""Draw predictions of a model in testing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, Union

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from eng.dist import is_main_process
from eng.registry import HOOKS
from eng.utils import DataBatch, DataSample, override

from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs

__all__ = ["NaiveVisualizationHook"]

#: Images of a batch: one tensor or array of all, or one for each.
Images: TypeAlias = Union[Tensor, np.ndarray, Sequence[object]]  # noqa: UP007 - as 3.10 evaluates it


@HOOKS.register_module()
class NaiveVisualizationHook(Hook):
    """Draws the samples of test batches with the visualizer, in the first process.

    An image is one of the ``inputs`` of the batch, with the transforms undone that the metainfo of
    its sample describes: ``img_norm_cfg`` with ``mean`` and ``std`` in the range of
    bytes, ``img_shape`` before padding, ``ori_shape`` before resizing, each (height, width).
    Floating-point images without an ``img_norm_cfg`` are stretched over the range of bytes. The
    order of channels is kept. The name of an image is that of its file, if ``img_path`` is set.

    Args:
        interval: Batches between two that are drawn. Defaults to 1.
        draw_gt: Whether to draw annotations. Defaults to True.
        draw_pred: Whether to draw predictions. Defaults to True.
    """

    priority = "NORMAL"

    def __init__(self, interval: int = 1, draw_gt: bool = True, draw_pred: bool = True) -> None:
        self.interval = interval
        self.draw_gt = draw_gt
        self.draw_pred = draw_pred

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Pass the model to the visualizer: some backends record its gradients."""
        runner.visualizer.add_graph(runner.model, None)

    @override
    def after_test_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Call ``add_datasample`` of the visualizer with each sample of the batch.

        Raises:
            ValueError: If the inputs are not images, or not as many as the outputs.
        """
        if (
            data_batch is None
            or not self.every_n_inner_iters(batch_idx, self.interval)
            or not is_main_process()
        ):
            return
        images = _read_inputs(data_batch)
        if (
            isinstance(images, (Tensor, np.ndarray)) and images.ndim == 3
        ):  # one image that was not put into a batch
            images = images[None]
        samples = [None] * len(images) if outputs is None else outputs
        if len(samples) != len(images):
            raise ValueError(
                f"a sample for each image is needed: test batch {batch_idx} has {len(images)} "
                f"images, and the model returned {len(samples)} samples"
            )
        for index, (image, sample) in enumerate(zip(images, samples, strict=True)):
            path = _read_meta(sample, "img_path")
            runner.visualizer.add_datasample(
                Path(path).name if path else f"test_{batch_idx}_{index}",
                _undo_transforms(image, sample),
                data_sample=sample,
                draw_gt=self.draw_gt,
                draw_pred=self.draw_pred,
                step=batch_idx,
            )


def _read_inputs(data_batch: DataBatch) -> Images:
    """The images of a batch: a sequence of them, or one tensor of all."""
    if isinstance(data_batch, Sequence) and data_batch and isinstance(data_batch[0], Mapping):
        return [_read_inputs(each) for each in data_batch]
    if isinstance(data_batch, Mapping):
        if "inputs" not in data_batch:
            raise ValueError(
                f"missing key 'inputs' with the images of a batch; its keys are {list(data_batch)}"
            )
        return data_batch["inputs"]
    return data_batch[0]


def _read_meta(sample: DataSample, key: str) -> DataSample:
    return sample.get(key) if hasattr(sample, "get") else None


def _undo_transforms(image: object, sample: DataSample) -> np.ndarray:
    """Undo the transforms of an input of the model that its sample describes.

    Returns:
        An array of shape (height, width, 3), uint8.
    """
    pixels = _check_image(image)
    norm = _read_meta(sample, "img_norm_cfg")
    if norm is not None:
        mean, std = (torch.as_tensor(norm[key]).reshape(-1, 1, 1) for key in ("mean", "std"))
        pixels = pixels * std + mean
    elif pixels.is_floating_point():
        low, high = pixels.aminmax()
        pixels = (pixels - low) * (255 / (high - low) if high > low else 1)
    if (shape := _read_meta(sample, "img_shape")) is not None:
        pixels = pixels[:, : shape[0], : shape[1]]
    shape = _read_meta(sample, "ori_shape")
    if shape is not None and tuple(shape[:2]) != tuple(pixels.shape[1:]):
        size = (int(shape[0]), int(shape[1]))
        pixels = interpolate(pixels[None].float(), size, mode="bilinear", antialias=True)[0]
    if pixels.is_floating_point():
        pixels = pixels.round()
    rgb = pixels.clamp(0, 255).to(torch.uint8).expand(3, -1, -1)
    return rgb.permute(1, 2, 0).contiguous().numpy()


def _check_image(image: object) -> Tensor:
    if isinstance(image, (Tensor, np.ndarray)):
        pixels = torch.as_tensor(image).detach().cpu()
        if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.numel():
            return pixels.float() if pixels.dtype in (torch.bfloat16, torch.float16) else pixels
        found = str(tuple(pixels.shape))
    else:
        found = type(image).__name__
    raise ValueError(
        "an image to draw must have shape (3, height, width), or (1, height, width) if it is grey, "
        f"not {found}"
    )
