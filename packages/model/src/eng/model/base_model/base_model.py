"""The base class of models that the engine trains."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from eng.optim import OptimWrapper
from eng.registry import MODELS
from eng.utils import ArgumentTypeError, override

from ..base_module import BaseModule, InitConfig
from .data_preprocessor import BaseDataPreprocessor
from .steps import run_forward, take_train_step
from .vendor_devices import VendorDevices

__all__ = ["BaseModel"]


class BaseModel(VendorDevices, BaseModule):
    """A model that knows how to take a training, a validation and a test step.

    A subclass implements :meth:`forward` for three modes. The rest is here.

    Args:
        data_preprocessor: What prepares each batch: a config of something in ``MODELS``, whose
            ``type`` defaults to ``BaseDataPreprocessor``, or a module. Defaults to None, a
            :class:`BaseDataPreprocessor`.
        init_cfg: How the parameters are initialised, see :class:`BaseModule`. Defaults to None.

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
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: InitConfig = None,
    ) -> None:
        super().__init__(init_cfg)
        if data_preprocessor is None:
            data_preprocessor = BaseDataPreprocessor()
        if isinstance(data_preprocessor, nn.Module):
            self.data_preprocessor: nn.Module = data_preprocessor
        elif isinstance(data_preprocessor, dict):
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
        self, inputs: Tensor, data_samples: list[Any] | None = None, mode: str = "tensor"
    ) -> dict[str, Any] | list[Any] | Any:
        """Compute losses, predictions or features of a batch.

        Args:
            inputs: The batch, as the data preprocessor gives it.
            data_samples: Annotations of the samples. Defaults to None.
            mode: ``'loss'``: return a dict of losses; ``'predict'``: return one prediction a
                sample, for metrics; ``'tensor'`` (default): return whatever is of use to others.

        Returns:
            What the mode asks for.
        """

    def train_step(
        self, data: dict[str, Any] | tuple | list, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Preprocess a batch, compute its losses and update the parameters.

        Args:
            data: A batch from the data loader.
            optim_wrapper: What updates the parameters.

        Returns:
            Losses by name, for the log. They stay on their device.
        """
        _, log_vars = take_train_step(self, self, data, optim_wrapper)
        return log_vars

    def val_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Preprocess a batch and predict.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction a sample.
        """
        data = self.data_preprocessor(data, False)
        return self._run_forward(data, "predict")

    def test_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """The same as :meth:`val_step`.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction a sample.
        """
        return self.val_step(data)

    def _run_forward(self, data: dict[str, Any] | tuple | list, mode: str) -> Any:
        """Call the model with a preprocessed batch; every step does so. A subclass may override it.

        Args:
            data: Arguments of :meth:`forward`, by name in a dict, else in their order.
            mode: As of :meth:`forward`.

        Returns:
            The outputs of the model.

        Raises:
            TypeError: If ``data`` is neither a dict nor a list or tuple.
        """
        return run_forward(self, data, mode)

    def parse_losses(self, losses: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum up what a forward pass returned.

        Args:
            losses: Tensors, or lists of tensors, by name. Each is averaged to a number; a list is
                summed. Those with ``loss`` in their name make up the total, the others are only
                logged.

        Returns:
            The total loss, and what is logged: ``loss``, the total, and each single one.

        Raises:
            TypeError: If it is no dict, or a value is neither a tensor nor a list of tensors.
            ValueError: If no name has ``loss`` in it.
        """
        if not isinstance(losses, (dict, Mapping)):
            raise ArgumentTypeError(
                f"forward() of {type(self).__name__} must return a dict of losses by name in mode "
                f"'loss', such as dict(loss=...), not {type(losses).__name__}"
            )
        parts: list[Tensor] = []
        log_vars: OrderedDict[str, Tensor] = OrderedDict()
        for name, value in losses.items():
            # The mean of one number would be a node of the graph that does nothing.
            is_number = isinstance(value, Tensor) and not value.ndim
            mean = value if is_number else _mean_loss(name, value)
            if "loss" in name:
                parts.append(mean)
            if name != "loss":
                log_vars[name] = mean.detach()
        if not parts:
            raise ValueError(
                f"no loss to backpropagate: none of {sorted(losses)} has 'loss' in its name"
            )
        total = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
        log_vars["loss"] = total.detach()
        log_vars.move_to_end("loss", last=False)
        return total, log_vars

    # The data preprocessor keeps its device apart from its parameters, of which it has none.

    @override
    def to(self, *args: Any, **kwargs: Any) -> BaseModel:
        """Move the model and its data preprocessor, see :meth:`torch.nn.Module.to`.

        Args:
            *args: Device, dtype or tensor.
            **kwargs: Likewise.

        Returns:
            The model itself.
        """
        device = torch._C._nn._parse_to(*args, **kwargs)[0]
        if device is not None:
            self._set_device(device)
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
        self._set_device(device)
        return super().cuda(device)

    @override
    def cpu(self, *args: Any, **kwargs: Any) -> BaseModel:
        """Move the model and its data preprocessor to the CPU.

        Args:
            *args: Ignored.
            **kwargs: Ignored.

        Returns:
            The model itself.
        """
        self._set_device(torch.device("cpu"))
        return super().cpu()

    def _set_device(self, device: torch.device) -> None:
        for module in self.modules():
            if isinstance(module, BaseDataPreprocessor):
                module._device = device


def _mean_loss(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return _mean(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, Tensor) for v in value):
        return torch.stack([_mean(v) for v in value]).sum()
    raise TypeError(
        f"loss {name!r} must be a tensor or a list of tensors, not {type(value).__name__}"
    )


def _mean(value: Tensor) -> Tensor:
    return value.mean() if value.ndim else value
