"""Model wrapper, optimizer wrapper and optimizers of DeepSpeed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.logging import MessageHub
from eng.optim import BaseOptimWrapper
from eng.registry import MODEL_WRAPPERS, OPTIM_WRAPPERS, OPTIMIZERS
from eng.utils import DataBatch, apply_to, override

from ..errors import RunnerConfigError

__all__ = ["DeepSpeedOptimWrapper", "MMDeepSpeedEngineWrapper", "register_deepspeed_optimizers"]

#: Optimizers of DeepSpeed, and the modules that they are in.
_OPTIMIZERS = {
    "DeepSpeedCPUAdam": "deepspeed.ops.adam",
    "FusedAdam": "deepspeed.ops.adam",
    "FusedLamb": "deepspeed.ops.lamb",
    "OnebitAdam": "deepspeed.runtime.fp16.onebit",
    "OnebitLamb": "deepspeed.runtime.fp16.onebit",
    "ZeroOneAdam": "deepspeed.runtime.fp16.onebit",
}


def register_deepspeed_optimizers() -> list[str]:
    """Register the optimizers of DeepSpeed in ``OPTIMIZERS``. They are built by it when used.

    Returns:
        Their names; none without DeepSpeed.
    """
    names: list[str] = []
    for name, module in _OPTIMIZERS.items():
        try:
            cls = getattr(import_module(module), name, None)
        except ImportError:
            return names
        if cls is not None and name not in OPTIMIZERS.module_dict:
            OPTIMIZERS.register_module(module=cls, name=name)
        names += [] if cls is None else [name]
    return names


@OPTIM_WRAPPERS.register_module()
class DeepSpeedOptimWrapper(BaseOptimWrapper):
    """Updates parameters by the engine of DeepSpeed, which accumulates and clips by its config.

    Args:
        optimizer: The optimizer, whose parameters the engine takes over.

    Attributes:
        model: The engine, once :class:`DeepSpeedStrategy` has made it.
        loss_guard: Called with each loss, in all processes. If it returns False, the loss is not
            backpropagated. Defaults to None.
        message_hub: The message hub of the run.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__(optimizer)
        self._engine: Any = None
        self.loss_guard: Callable[[Tensor], bool] | None = None
        self.message_hub = MessageHub.get_current_instance()

    @property
    def model(self) -> Any:
        """The engine of DeepSpeed.

        Raises:
            RunnerConfigError: If the strategy has not made it yet.
        """
        if self._engine is None:
            raise RunnerConfigError(
                "DeepSpeedOptimWrapper has no engine: it is for DeepSpeedStrategy, which makes one "
                "when it prepares the model"
            )
        return self._engine

    @model.setter
    def model(self, engine: object) -> None:
        self._engine = engine

    @property
    def accumulative_counts(self) -> int:
        """Number of iterations whose gradients are accumulated for one update."""
        return 1 if self._engine is None else int(self._engine.gradient_accumulation_steps())

    _accumulative_counts = accumulative_counts  # by which runs count the samples of an update

    def optim_context(self, model: nn.Module) -> AbstractContextManager[None]:
        """Return a context that does nothing, for models that train by steps of their own.

        Args:
            model: The model.

        Raises:
            RunnerConfigError: If the engine is missing, as without :class:`DeepSpeedStrategy`.
        """
        _ = self.model
        return nullcontext()

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Do nothing: the engine counts the iterations of an update itself.

        Args:
            model: The model.
            init_counts: Completed iterations.
            max_counts: Iterations of the whole run.
        """

    @override
    def update_params(self, loss: Tensor, step_kwargs: Any = None, zero_kwargs: Any = None) -> None:
        """Backpropagate a loss and, when the accumulation is complete, update the parameters.

        Args:
            loss: The loss of this iteration, a tensor of one element.
            step_kwargs: Arguments of the engine's ``step``. Defaults to none.
            zero_kwargs: Not used: the engine clears gradients.
        """
        if self.loss_guard is not None and not self.loss_guard(loss):
            return
        self.backward(loss)
        self.step(**step_kwargs or {})

    @override
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of a loss.

        Args:
            loss: The loss.
            **kwargs: Arguments of the engine's ``backward``.
        """
        self.model.backward(loss, **kwargs)

    @override
    def step(self, **kwargs: Any) -> None:
        """Update the parameters, if enough gradients are accumulated.

        Args:
            **kwargs: Arguments of the engine's ``step``.
        """
        engine = self.model
        is_update = engine.is_gradient_accumulation_boundary()
        engine.step(**kwargs)
        if is_update and engine.gradient_clipping():
            norm = engine.get_global_grad_norm()
            if norm is not None:
                self.message_hub.update_scalar("train/grad_norm", torch.as_tensor(norm).detach())

    @override
    def zero_grad(self, **kwargs: Any) -> None:
        """Clear the gradients.

        Args:
            **kwargs: Not used.
        """
        self.model.zero_grad()


@MODEL_WRAPPERS.register_module()
class MMDeepSpeedEngineWrapper(nn.Module):
    """Wraps the engine of DeepSpeed for a :class:`eng.model.BaseModel`.

    Args:
        model: The engine.
        inputs_to_half: Keys, or positions, of inputs that are cast to the precision of the
            parameters. Defaults to None, none.

    Attributes:
        model: The engine.
        module: The model.
    """

    def __init__(self, *, model: Any, inputs_to_half: Sequence[int | str] | None = None) -> None:
        super().__init__()
        self.__dict__["model"] = engine = model  # its parameters are those of the module
        self.module: Any = engine.module
        self._inputs_to_half = list(inputs_to_half or [])

    @override
    def train(self, mode: bool = True) -> MMDeepSpeedEngineWrapper:
        super().train(mode)
        self.model.train(mode)
        return self

    @override
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs)

    @override
    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # as of the engine, such as save_checkpoint
            return getattr(self.__dict__["model"], name)

    def train_step(self, data: DataBatch, optim_wrapper: BaseOptimWrapper) -> dict[str, Tensor]:
        """Preprocess a batch, compute its losses and update the parameters.

        Args:
            data: A batch from the data loader.
            optim_wrapper: Updates the parameters.

        Returns:
            Losses by name, for the log.
        """
        losses = self._run_forward(self._preprocess(data, True), "loss")
        loss, log_vars = self.module.parse_losses(losses)
        optim_wrapper.update_params(loss)
        recorded: dict[str, Tensor] = log_vars
        return recorded

    def val_step(self, data: DataBatch) -> Any:
        """Predict a validation batch.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        return self._run_forward(self._preprocess(data, False), "predict")

    def test_step(self, data: DataBatch) -> Any:
        """Predict a test batch.

        Args:
            data: A batch from the data loader.

        Returns:
            One prediction per sample.
        """
        return self.val_step(data)

    def _preprocess(self, data: DataBatch, training: bool) -> Any:
        data = self.module.data_preprocessor(data, training)
        if not self._inputs_to_half:
            return data
        if isinstance(data, dict):
            return {k: self._cast(v) if k in self._inputs_to_half else v for k, v in data.items()}
        return [self._cast(v) if n in self._inputs_to_half else v for n, v in enumerate(data)]

    def _cast(self, data: Any) -> Any:
        """Cast floating point tensors to the precision of the parameters."""
        dtype = next((p.dtype for p in self.module.parameters()), torch.float32)
        return apply_to(
            data,
            lambda each: isinstance(each, Tensor) and each.is_floating_point(),
            lambda each: each.to(dtype),
        )

    def _run_forward(self, data: Any, mode: str) -> Any:
        """Call the engine with a preprocessed batch, as keyword or positional arguments."""
        if isinstance(data, dict):
            return self.model(**data, mode=mode)
        if isinstance(data, (list, tuple)):
            return self.model(*data, mode=mode)
        raise TypeError(
            f"the data preprocessor of {type(self.module).__name__} must return a dict, a list or "
            f"a tuple, not {type(data).__name__}"
        )
