"""The common interface through which a model's parameters are updated."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import clip_grad
from torch.optim import Optimizer

from eng.logging import MessageHub, print_log
from eng.registry import OPTIM_WRAPPERS
from eng.utils import ArgumentTypeError, ArgumentValueError, override

from .accumulation import put_gradients, waiting_gradients
from .base import BaseOptimWrapper

__all__ = ["OptimWrapper"]

_NOTHING = nullcontext()
_CLIPPERS: dict[str, tuple[Callable[..., Any], str]] = {
    "norm": (clip_grad.clip_grad_norm_, "grad_norm"),
    "value": (clip_grad.clip_grad_value_, "grad_value"),
}


@OPTIM_WRAPPERS.register_module()
class OptimWrapper(BaseOptimWrapper):
    """Update parameters with an optimizer, with gradient accumulation and clipping.

    Args:
        optimizer: The optimizer that does the update.
        accumulative_counts: Number of iterations whose gradients make one update. The loss of each
            is divided by it. Defaults to 1.
        clip_grad: Arguments of :func:`torch.nn.utils.clip_grad_norm_`, or, with ``type='value'``
            beside them, of :func:`torch.nn.utils.clip_grad_value_`. The norm before clipping is
            recorded as ``train/grad_norm``. Defaults to None, no clipping.
        stop_on_nan_loss: Whether a loss that is NaN or infinite ends training, before it reaches
            the parameters. Looking at it makes the host wait for the device in each iteration.
            Defaults to False.

    Attributes:
        message_hub: The hub that the gradient norm is recorded in, the latest one by default.
        loss_guard: Is called with each loss by :meth:`update_params`, in all processes. Where it
            returns False, the iteration counts, but its loss is not backpropagated. Defaults to
            None.

    Raises:
        TypeError: If ``optimizer`` is no optimizer, ``accumulative_counts`` no int, or
            ``clip_grad`` no dict.
        ValueError: If ``accumulative_counts`` is below 1, or the type of clipping is unknown or has
            no arguments.

    Examples:
        >>> import torch
        >>> from torch.optim import SGD
        >>> model = nn.Linear(2, 1)
        >>> loader = [torch.randn(8, 2) for _ in range(8)]
        >>> optim_wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=4)
        >>> for batch in loader:
        ...     with optim_wrapper.optim_context(model):
        ...         loss = model(batch).square().mean()
        ...     optim_wrapper.update_params(loss)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        accumulative_counts: int = 1,
        clip_grad: dict[str, Any] | None = None,
        stop_on_nan_loss: bool = False,
    ) -> None:
        super().__init__(optimizer)
        if not isinstance(accumulative_counts, int):
            raise ArgumentTypeError(
                f"accumulative_counts must be an int, not {type(accumulative_counts).__name__}"
            )
        if accumulative_counts < 1:
            raise ArgumentValueError(
                f"accumulative_counts must be at least 1, got {accumulative_counts}"
            )
        if clip_grad is not None and not isinstance(clip_grad, Mapping):
            raise ArgumentTypeError(
                "clip_grad must be a dict of the arguments of clipping, such as "
                f"dict(max_norm=1.0), or None, not {clip_grad!r}"
            )
        self._accumulative_counts = accumulative_counts
        self.clip_grad_kwargs = dict(clip_grad or {})
        if self.clip_grad_kwargs:
            self.clip_grad_kwargs.pop("_scope_", None)  # of a base from another package
            kind = self.clip_grad_kwargs.pop("type", "norm")
            if kind not in _CLIPPERS:
                raise ValueError(
                    f"type of clip_grad should be one of {sorted(_CLIPPERS)}, not {kind!r}"
                )
            if not self.clip_grad_kwargs:
                raise ArgumentValueError(
                    f"clipping by {kind} needs its arguments in clip_grad, such as max_norm=1.0 or "
                    "clip_value=1.0"
                )
            self.clip_func, self.grad_name = _CLIPPERS[kind]
        self.stop_on_nan_loss = stop_on_nan_loss
        self.message_hub = MessageHub.get_current_instance()
        self.loss_guard: Callable[[Tensor], bool] | None = None
        self._inner_count = 0
        #: Whether the gradients there are have been used for an update already.
        self._gradients_are_spent = False
        self._is_resumed = False
        self._has_met_model = False
        self._left_out: dict[str, nn.Parameter] = {}
        #: The clipping of a model whose gradients are sharded: each process sees a part of them.
        self._clip_of_model: Callable[..., Tensor] | None = None
        # Unknown until initialize_count_status.
        self._max_counts = -1
        self._remainder_counts = -1

    # ------------------------------------------------------------------ one update

    @override
    def update_params(
        self,
        loss: Tensor,
        step_kwargs: dict[str, Any] | None = None,
        zero_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Go back from a loss and, when the accumulation is complete, update the parameters.

        Args:
            loss: The loss of this iteration, a tensor of one element.
            step_kwargs: Arguments for the optimizer's ``step``. Defaults to none.
            zero_kwargs: Arguments for the optimizer's ``zero_grad``. Defaults to none.

        Raises:
            FloatingPointError: If the loss is NaN or infinite and ``stop_on_nan_loss`` is set.
        """
        if self.stop_on_nan_loss:
            self.check_losses({"loss": loss})
        if self._left_out:
            self._warn_of_thawed()
        if self.loss_guard is not None and not self.loss_guard(loss):
            self._inner_count += 1
            if not self._has_gradients():
                return
        else:
            self.backward(self.scale_loss(loss))
        if self.should_update():
            self.step(**step_kwargs or {})
            self.zero_grad(**zero_kwargs or {})

    def _has_gradients(self) -> bool:
        """Whether other iterations of the cycle have left gradients for an update."""
        groups = self.optimizer.param_groups
        return any(param.grad is not None for group in groups for param in group["params"])

    def check_losses(self, losses: Mapping[str, Tensor]) -> None:
        """Stop training if a loss is NaN or infinite; does nothing unless ``stop_on_nan_loss``.

        :meth:`update_params` checks the total. To be told which part of it is at fault, call this
        before with all of them, as :class:`eng.model.BaseModel` does.

        Args:
            losses: Losses by name.

        Raises:
            FloatingPointError: If one is. The message has the iteration, from 1, and the losses.
        """
        if not self.stop_on_nan_loss:
            return
        values = {name: float(loss.detach()) for name, loss in losses.items() if "loss" in name}
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        if bad:
            raise FloatingPointError(
                f"iteration {self._inner_count + 1}: {_describe_losses(bad)} (all losses: "
                f"{_describe_losses(values)}); the parameters have not been updated with it"
            )

    @override
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of a loss and count the iteration.

        Args:
            loss: The loss, scaled already.
            **kwargs: Arguments of :meth:`torch.Tensor.backward`.
        """
        loss.backward(**kwargs)  # type: ignore[no-untyped-call]
        self._inner_count += 1
        self._gradients_are_spent = False

    @override
    def zero_grad(self, **kwargs: Any) -> None:
        """Drop the gradients.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.zero_grad`.
        """
        self.optimizer.zero_grad(**kwargs)
        self._gradients_are_spent = False

    @override
    def step(self, **kwargs: Any) -> None:
        """Clip the gradients, if asked for, and update the parameters.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.step`.
        """
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.optimizer.step(**kwargs)
        self._gradients_are_spent = True

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Divide a loss by the number of iterations that make up its update.

        Args:
            loss: The loss of the model.

        Returns:
            The loss to go back from. The last update of a run may have fewer iterations.
        """
        count = self._accumulative_counts
        if count == 1:
            return loss
        if self._max_counts - self._remainder_counts <= self._inner_count < self._max_counts:
            count = self._remainder_counts
        return loss / count

    def should_update(self) -> bool:
        """Whether the iterations counted so far complete an update."""
        count = self._inner_count
        return count % self._accumulative_counts == 0 or count == self._max_counts

    def should_sync(self) -> bool:
        """Whether the coming backward pass completes an update and so must share gradients."""
        count = self._inner_count + 1
        return count % self._accumulative_counts == 0 or count == self._max_counts

    def optim_context(self, model: nn.Module) -> AbstractContextManager[None]:
        """Around the forward pass of a training step.

        While gradients are only accumulated, a model with a ``no_sync`` context (a wrapper for
        several processes) does not share them.

        Args:
            model: The model, possibly wrapped.

        Returns:
            The context.
        """
        if self._left_out:
            self._warn_of_thawed()
        if not self._has_met_model:
            self._meet_model(model)
            self._has_met_model = True
        if self.should_sync():
            return _NOTHING
        no_sync = getattr(model, "no_sync", None)
        return _NOTHING if no_sync is None else no_sync()

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Say where in the run this wrapper is, so that the last, shorter cycle updates as well.

        Args:
            model: The model, to warn where accumulation changes what it computes.
            init_counts: Iterations done so far; what :meth:`load_accumulation_state` restored
                before takes precedence.
            max_counts: Iterations of the whole run.
        """
        # Training that is gone on with in the same process has the gradients still.
        is_resumed = self._is_resumed or self._inner_count == init_counts
        if not self._is_resumed:
            self._inner_count = init_counts
        self._is_resumed = False
        self._max_counts = max_counts
        self._remainder_counts = max_counts % self._accumulative_counts
        if self._accumulative_counts == 1:
            return
        if init_counts % self._accumulative_counts and not is_resumed:
            print_log(
                f"Resuming after {init_counts} iterations, inside a cycle of "
                f"{self._accumulative_counts} accumulated iterations: the gradients of "
                f"{init_counts % self._accumulative_counts} of them are lost.",
                logger="current",
                level=logging.WARNING,
            )
        if any(isinstance(module, _BatchNorm) for module in model.modules()):
            print_log(
                "Gradients are accumulated but the model has batch normalisation, whose statistics "
                "are those of the single iterations: the result differs from that of a "
                "larger batch.",
                logger="current",
                level=logging.WARNING,
            )

    def _meet_model(self, model: nn.Module) -> None:
        """Look at the model once, when it is first seen, for what concerns its update.

        The optimizer may have parameters beside those of the model, and the model others beside
        those of the optimizer. But one over another model, or over this one before it was sharded,
        does nothing for it.
        """
        own = {id(parameter) for parameter in model.parameters()}
        ours = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        if not any(id(parameter) in own for parameter in ours):
            print_log(
                f"None of the {len(ours)} parameters of the optimizer "
                f"{type(self.optimizer).__name__} belongs to the model {type(model).__name__}, "
                "which is not trained by it: build it from the parameters of this model, after it "
                "has been sharded or copied.",
                logger="current",
                level=logging.WARNING,
            )
        self._clip_of_model = getattr(model, "clip_grad_norm_", None)

    def watch_left_out(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Warn, once for each, when one of these parameters is no longer frozen.

        Args:
            parameters: Frozen parameters by name, which are in no group of the optimizer.
        """
        self._left_out = dict(parameters)

    def _warn_of_thawed(self) -> None:
        thawed = [name for name, param in self._left_out.items() if param.requires_grad]
        if not thawed:
            return
        for name in thawed:
            del self._left_out[name]
        print_log(
            f"Parameters that were frozen when the optimizer {type(self.optimizer).__name__} was "
            f"built no longer are, but they belong to none of its groups and are not updated: "
            f"{', '.join(thawed)}. Freeze them after the optimizer is built, or give them to it "
            "by add_param_group.",
            logger="current",
            level=logging.WARNING,
        )

    def _clip_grad(self) -> None:
        if self._clip_of_model is not None and self.grad_name == "grad_norm":
            # In all processes, also in one that has no part of any gradient.
            norm = self._clip_of_model(**self.clip_grad_kwargs)
        else:
            norm = self._clip_own()
        if norm is not None:
            # That of sharded gradients is put together here, where all processes are.
            norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
            # A tensor: whoever prints it pays for bringing it from the device.
            self.message_hub.update_scalar(f"train/{self.grad_name}", norm.detach())

    def _clip_own(self) -> Any:
        parameters = [
            parameter
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        return self.clip_func(parameters, **self.clip_grad_kwargs) if parameters else None

    # ------------------------------------------------------------------ state and settings

    def accumulation_state(self) -> dict[str, Any]:
        """Where this wrapper is in its cycle of accumulated iterations, of this process alone.

        Returns:
            ``inner_count`` and ``accumulative_counts``, and in an open cycle ``gradients``: those
            that wait for their update, on the CPU, by the place of their parameter in the
            optimizer; None stands for zeros.
        """
        waiting = {} if self._gradients_are_spent else waiting_gradients(self.optimizer)
        return {
            "inner_count": self._inner_count,
            "accumulative_counts": self._accumulative_counts,
            **({"gradients": waiting} if waiting else {}),
        }

    def load_accumulation_state(self, state: Mapping[str, Any]) -> None:
        """Continue within a cycle of accumulated iterations.

        Args:
            state: What :meth:`accumulation_state` returned in the same process of another run.
                Gradients of parameters that are others now, or of a cycle of another length, are
                reported as lost.
        """
        gradients = state.get("gradients", {})
        counts = state["accumulative_counts"]
        if counts != self._accumulative_counts:
            if gradients:
                print_log(
                    f"Resuming inside a cycle of {counts} accumulated iterations, now they are "
                    f"{self._accumulative_counts}: the gradients of the open cycle are lost.",
                    logger="current",
                    level=logging.WARNING,
                )
            return
        self._inner_count, self._is_resumed = state["inner_count"], True
        problem = put_gradients(self.optimizer, gradients)
        if problem:
            print_log(
                f"Resuming inside a cycle of accumulated iterations: {problem}; its gradients are "
                "lost.",
                logger="current",
                level=logging.WARNING,
            )

    @property
    def inner_count(self) -> int:
        """Number of backward passes so far."""
        return self._inner_count

    @property
    def accumulative_counts(self) -> int:
        """Number of iterations whose gradients make one update."""
        return self._accumulative_counts

    @override
    def __repr__(self) -> str:
        optimizer = repr(self.optimizer).replace("\n", "\n    ")
        return (
            f"Type: {type(self).__name__}\n"
            f"accumulative_counts: {self._accumulative_counts}\n"
            f"optimizer:\n    {optimizer}"
        )


def _describe_losses(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} is {value}" for name, value in losses.items())
