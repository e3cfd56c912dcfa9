"""Base class of models that the engine trains."""

from __future__ import annotations

import functools
import operator
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from eng.optim import OptimWrapper
from eng.registry import MODELS, PartOrConfig
from eng.utils import ArgumentTypeError, DataBatch, override

from ..base_module import BaseModule, InitConfig
from ..types import ModelOutputs, Prediction
from .data_preprocessor import BaseDataPreprocessor
from .steps import preprocessor_of, run_forward, take_train_step
from .vendor_devices import VendorDevices

__all__ = ["BaseModel"]


class BaseModel(VendorDevices, BaseModule):
    """A model with training, validation and test steps.

    A subclass implements :meth:`forward` for three modes.

    Args:
        data_preprocessor: Preprocessor of batches: a config of ``MODELS``, whose ``type`` defaults
            to ``BaseDataPreprocessor``, or a module. Defaults to None, a
            :class:`BaseDataPreprocessor`.
        init_cfg: Config of the initialization, see :class:`BaseModule`. Defaults to None.

    Raises:
        TypeError: If ``data_preprocessor`` is neither a dict nor a module.

    Examples:
        >>> @MODELS.register_module()
        ... class Classifier(BaseModel):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.net = nn.Linear(64, 10)
        ...
        ...     def forward(self, inputs, data_samples=None, mode='tensor'):
        ...         logits = self.net(inputs)
        ...         if mode == 'loss':
        ...             return dict(loss=F.cross_entropy(logits, data_samples))
        ...         return logits.argmax(1) if mode == 'predict' else logits
    """

    def __init__(
        self,
        data_preprocessor: PartOrConfig[nn.Module] | None = None,
        init_cfg: InitConfig = None,
    ) -> None:
        super().__init__(init_cfg)
        if data_preprocessor is None:
            data_preprocessor = BaseDataPreprocessor()
        if isinstance(data_preprocessor, nn.Module):
            self.data_preprocessor: nn.Module = data_preprocessor
        elif isinstance(data_preprocessor, Mapping):
            self.data_preprocessor = MODELS.build(
                {"type": "BaseDataPreprocessor", **data_preprocessor}
            )
        else:
            raise TypeError(
                "data_preprocessor must be a config dict, a module or None, "
                f"not {type(data_preprocessor).__name__}"
            )

    @abstractmethod
    @override
    def forward(
        self, inputs: DataBatch, data_samples: DataBatch = None, mode: str = "tensor"
    ) -> ModelOutputs:
        """Compute losses, predictions or features of a batch.

        Subclasses may narrow the types of the arguments.

        Args:
            inputs: The preprocessed inputs: a tensor, or lists or dicts of tensors.
            data_samples: Annotations of the samples, such as a list of data elements. Defaults to
                None.
            mode: ``'loss'``: return a dict of losses; ``'predict'``: return one prediction per
                sample, for metrics; ``'tensor'`` (default): return tensors for other modules.

        Returns:
            The outputs of the mode.
        """

    def train_step(self, data: DataBatch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Preprocess a batch, compute its losses and update the parameters.

        Args:
            data: A batch from the data loader.
            optim_wrapper: Updates the parameters.

        Returns:
            Losses by name, for the log. They stay on their device.
        """
        _, log_vars = take_train_step(self, self, data, optim_wrapper)
        return log_vars

    def val_step(self, data: DataBatch) -> list[Prediction]:
        """Preprocess a batch and predict.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        data = preprocessor_of(self)(data, False)
        return self._run_forward(data, "predict")

    def test_step(self, data: DataBatch) -> list[Prediction]:
        """Preprocess a batch and predict, like :meth:`val_step`.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        return self.val_step(data)

    #: Calls the model with a preprocessed batch, in every step. A subclass may override it.
    _run_forward = run_forward

    def parse_losses(self, losses: ModelOutputs) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum the losses of a forward pass.

        Args:
            losses: Tensors, or lists of tensors, by name. Each is averaged to a number; a list is
                summed, to 0 if it is empty. Those with ``loss`` in their name are summed to the
                total, the others are only logged.

        Returns:
            The total loss to backpropagate, and the values to log: the total as ``loss``, and each
            loss.

        Raises:
            TypeError: If it is not a dict, or a value is neither a tensor nor a list of tensors.
            ValueError: If none of the names has ``loss`` in it.
        """
        if not isinstance(losses, dict) and not isinstance(losses, Mapping):
            raise ArgumentTypeError(
                f"forward() of {type(self).__name__} must return a dict of losses by name in mode "
                f"'loss', such as dict(loss=...), not {type(losses).__name__}"
            )
        parts: list[Tensor] = []
        others: list[tuple[str, Tensor]] = []
        for name, value in losses.items():
            # The mean of a scalar would add a useless node to the graph.
            if not isinstance(value, Tensor) or value.ndim:
                if _is_empty(value) and _has_loss(losses):  # such as that of no auxiliary heads
                    if name != "loss":
                        others.append((name, torch.zeros(())))
                    continue
                value = _average_loss(name, value)  # noqa: PLW2901
            if "loss" in name:
                parts.append(value)
            if name != "loss":
                others.append((name, value.detach()))
        if not parts:
            raise ValueError(
                f"no loss to backpropagate: none of {sorted(losses)} has 'loss' in its name"
            )
        total = parts[0] if len(parts) == 1 else _add(parts)
        return total, OrderedDict([("loss", total.detach()), *others])

    # The data preprocessor has its own device, since it has no parameters to move.

    @override
    def to(self, *args: Any, **kwargs: Any) -> BaseModel:
        """Move the model and its data preprocessor, see :meth:`torch.nn.Module.to`.

        Args:
            *args: Device, dtype or tensor.
            **kwargs: The same by name.

        Returns:
            The model itself.
        """
        device = torch._C._nn._parse_to(*args, **kwargs)[0]
        if device is not None:
            self._set_preprocessor_devices(device)
        return super().to(*args, **kwargs)

    @override
    def cuda(self, device: int | str | torch.device | None = None) -> BaseModel:
        """Move the model and its data preprocessor to a GPU.

        Args:
            device: The device. Defaults to None, the current one.

        Returns:
            The model itself.
        """
        if device is None or isinstance(device, int):
            device = torch.device("cuda", torch.cuda.current_device() if device is None else device)
        device = torch.device(device)
        self._set_preprocessor_devices(device)
        return super().cuda(device)

    @override
    def cpu(self, *args: object, **kwargs: object) -> BaseModel:
        """Move the model and its data preprocessor to the CPU.

        Args:
            *args: Ignored.
            **kwargs: Ignored.

        Returns:
            The model itself.
        """
        self._set_preprocessor_devices(torch.device("cpu"))
        return super().cpu()

    def _set_preprocessor_devices(self, device: torch.device) -> None:
        for module in self.modules():
            if isinstance(module, BaseDataPreprocessor):
                module._device = device


def _is_empty(value: object) -> bool:
    return isinstance(value, list) and not value


def _has_loss(losses: ModelOutputs) -> bool:
    return any("loss" in name and not _is_empty(value) for name, value in losses.items())


def _average_loss(name: str, value: object) -> Tensor:
    if isinstance(value, Tensor):
        return _mean(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, Tensor) for v in value):
        return _add([_mean(v) for v in value])
    raise TypeError(
        f"loss {name!r} must be a tensor or a list of tensors, not {type(value).__name__}"
    )


def _add(values: list[Tensor]) -> Tensor:
    device = values[0].device
    if all(value.device == device for value in values):
        return torch.stack(values).sum()
    # A constant of the CPU can be added to a loss of any device, but not stacked with it.
    return functools.reduce(operator.add, values)


def _mean(value: Tensor) -> Tensor:
    return value.mean() if value.ndim else value
