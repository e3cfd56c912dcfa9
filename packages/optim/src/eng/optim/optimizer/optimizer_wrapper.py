"""Update the parameters of a model, with gradient accumulation and clipping."""

from __future__ import annotations

import logging
import math
import numbers
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import clip_grad
from torch.optim import Optimizer

from eng.dist import get_world_size
from eng.logging import MessageHub, print_log
from eng.registry import OPTIM_WRAPPERS
from eng.utils import ArgumentTypeError, ArgumentValueError, StateDict, override

from ..types import Arguments
from .accumulation import average_gradients, put_gradients, waiting_gradients
from .base import BaseOptimWrapper
from .clipping import clip_grad_norm
from .closures import check_closure, requires_closure
from .loss_normalizer import NormalizerConfig, normalizer_of

__all__ = ["OptimWrapper"]

_NOTHING = nullcontext()
_CLIPPERS: dict[str, tuple[Callable[..., Tensor | None], str]] = {
    "norm": (clip_grad_norm, "grad_norm"),
    "value": (clip_grad.clip_grad_value_, "grad_value"),
}


@OPTIM_WRAPPERS.register_module()
class OptimWrapper(BaseOptimWrapper):
    """Updates parameters with an optimizer, with gradient accumulation and clipping.

    Args:
        optimizer: The optimizer that updates the parameters.
        accumulative_counts: Number of iterations whose gradients are accumulated for one update.
            Their losses are divided by it. Defaults to 1.
        clip_grad: Arguments of :func:`torch.nn.utils.clip_grad_norm_`, or, with ``type='value'``,
            of :func:`torch.nn.utils.clip_grad_value_`. The norm before clipping is recorded as
            ``train/grad_norm``. Defaults to None, no clipping.
        stop_on_nan_loss: Whether to stop training at a NaN or infinite loss, before it reaches the
            parameters. The check synchronizes the host with the device in each iteration. Defaults
            to False.
        closure: Whether the step of the optimizer takes a closure that computes loss and gradients
            again, after the first ones, as SAM does. Defaults to None: if its step requires one,
            which computes the first ones too, as that of :class:`torch.optim.LBFGS`. In
            :meth:`eng.model.BaseModel.train_step`, without accumulation.
        loss_normalizer: What the losses of an update are averaged over, in all its iterations and
            processes, so that uneven batches count by their size: ``'samples'``; ``'tokens'``, the
            targets that are not ignored, with ``key``, ``ignore_index`` and ``shift`` in a dict,
            see :func:`count_tokens`; or a function of a preprocessed batch that returns what its
            loss is the mean of. Defaults to None: each iteration of each process counts alike. In
            :meth:`eng.model.BaseModel.train_step`; others call :meth:`update_normalized`.

    Attributes:
        message_hub: The message hub that records the gradient norm, the latest one by default.
        loss_guard: Called with each loss by :meth:`update_params`, in all processes. If it returns
            False, the iteration counts, but its loss is not backpropagated. Defaults to None.

    Raises:
        TypeError: If ``optimizer`` is not an optimizer, ``accumulative_counts`` not whole, or
            ``clip_grad`` not a dict.
        ValueError: If ``accumulative_counts`` is below 1, or the type of clipping is unknown or its
            arguments are missing.

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
        clip_grad: Arguments | None = None,
        stop_on_nan_loss: bool = False,
        *,
        closure: bool | None = None,
        loss_normalizer: NormalizerConfig | None = None,
    ) -> None:
        super().__init__(optimizer)
        accumulative_counts = _to_int(accumulative_counts)
        if accumulative_counts < 1:
            raise ArgumentValueError(
                f"accumulative_counts must be at least 1, not {accumulative_counts}"
            )
        self._set_clipping(clip_grad)
        self._set_closure(closure, accumulative_counts)
        self._set_normalizer(loss_normalizer)
        self._accumulative_counts = accumulative_counts
        self.stop_on_nan_loss = stop_on_nan_loss
        self.message_hub = MessageHub.get_current_instance()
        self.loss_guard: Callable[[Tensor], bool] | None = None
        self._inner_count = 0
        #: By how much the count is ahead of the iterations, so that cycles begin where a run with
        #: another length of them is continued; and whether one begins there next.
        self._ahead, self._begins_cycle = 0, False
        #: Whether the current gradients were already used for an update.
        self._gradients_are_spent = False
        self._is_resumed = False
        self._has_met_model = False
        self._left_out: dict[str, nn.Parameter] = {}
        #: The clipping function of a model with sharded gradients, which clips them as a whole.
        self._clip_of_model: Callable[..., Tensor] | None = None
        #: Whether the model leaves gradients of accumulated iterations to each process.
        self._is_synchronized = False
        #: Sets whether a sharded model sums gradients over processes in the next backward pass.
        self._set_sync: Callable[[bool], None] | None = None
        # Unknown until initialize_count_status.
        self._max_counts = -1
        self._remainder_counts = -1

    def _set_clipping(self, clip_grad: Arguments | None) -> None:
        if clip_grad is not None and not isinstance(clip_grad, Mapping):
            raise ArgumentTypeError(
                "clip_grad must be a dict of the arguments of clipping, such as "
                f"dict(max_norm=1.0), or None, not {clip_grad!r}"
            )
        self.clip_grad_kwargs = dict(clip_grad or {})
        if self.clip_grad_kwargs:
            self.clip_grad_kwargs.pop("_scope_", None)  # set by a base config of another package
            kind = self.clip_grad_kwargs.pop("type", "norm")
            if kind not in _CLIPPERS:
                raise ValueError(
                    f"type of clip_grad should be one of {sorted(_CLIPPERS)}, not {kind!r}"
                )
            if not self.clip_grad_kwargs:
                raise ArgumentValueError(
                    f"clipping by {kind} needs arguments in clip_grad, such as max_norm=1.0 or "
                    "clip_value=1.0"
                )
            self.clip_func, self.grad_name = _CLIPPERS[kind]

    def _set_closure(self, closure: bool | None, accumulative_counts: int) -> None:
        needs = requires_closure(self.optimizer) if closure is None else closure
        check_closure(needs, accumulative_counts, type(self.optimizer).__name__)
        #: Whether the step takes a closure, and whether gradients are computed before it.
        self.takes_closure, self._has_gradients_first = needs, bool(closure)
        self.takes_other_steps = self.takes_other_steps or needs

    def _set_normalizer(self, given: NormalizerConfig | None) -> None:
        self.loss_normalizer = normalizer_of(given)
        if self.loss_normalizer is None:
            return
        if self.takes_closure:
            raise ArgumentValueError(
                f"loss_normalizer={given!r} does not go with {type(self.optimizer).__name__}, "
                "whose step computes the loss again by a closure"
            )
        self.takes_other_steps = True
        # Of this wrapper alone, so that an update of others looks at nothing more.
        self.update_params = _refuse_to_normalize  # type: ignore[method-assign]

    # ------------------------------------------------------------------ one update

    @override
    def update_params(
        self,
        loss: Tensor,
        step_kwargs: Arguments | None = None,
        zero_kwargs: Arguments | None = None,
    ) -> None:
        """Backpropagate a loss and, when the accumulation is complete, update the parameters.

        Args:
            loss: The loss of this iteration, a tensor of one element.
            step_kwargs: Arguments of the optimizer's ``step``. Defaults to none.
            zero_kwargs: Arguments of the optimizer's ``zero_grad``. Defaults to none.

        Raises:
            FloatingPointError: If the loss is NaN or infinite and ``stop_on_nan_loss`` is set.
        """
        if self.stop_on_nan_loss:
            self.check_losses({"loss": loss})
        if self._left_out:
            self._warn_of_thawed()
        if self.loss_guard is not None and not self.loss_guard(loss):
            self._leave_out()
            if not self._has_gradients():
                return
        else:
            self.backward(self.scale_loss(loss))
        if self.should_update():
            self.step(**step_kwargs) if step_kwargs else self.step()
            self.zero_grad(**zero_kwargs) if zero_kwargs else self.zero_grad()

    def backward_part(self, loss: Tensor, share: float) -> None:
        """Compute the gradients of a part of an iteration's batch, without counting it.

        Args:
            loss: The mean loss of the part.
            share: Its share of the samples of the batch.
        """
        count = self._inner_count
        try:
            self.backward(self.scale_loss(loss if share == 1 else loss * share))
        finally:
            self._inner_count = count

    def update_normalized(self, loss: Tensor, count: int | Tensor) -> None:
        """Backpropagate a loss that counts by its samples or tokens, and update when due.

        Args:
            loss: The mean loss of this iteration, a tensor of one element.
            count: Number of samples or tokens that it is the mean of.
        """
        assert self.loss_normalizer is not None
        if self._left_out:
            self._warn_of_thawed()
        is_refused = self.loss_guard is not None and not self.loss_guard(
            torch.where(torch.as_tensor(count, device=loss.device) > 0, loss, 0)
        )
        # The mean of nothing is NaN. Where processes wait for its gradients, it has to be zero.
        is_empty = isinstance(count, int) and count == 0 and get_world_size() == 1
        if is_refused or is_empty:
            self._leave_out()
        else:
            self.backward(self.loss_normalizer.weigh(loss, count))
        if self.should_update():
            if self._has_gradients():
                self.loss_normalizer.divide(self.optimizer)
                self.step()
                self.zero_grad()
            self.loss_normalizer.reset()

    def update_with_closure(self, closure: Callable[[], Tensor]) -> None:
        """Count an iteration, and update the parameters by an optimizer that takes a closure.

        Args:
            closure: Clears the gradients, computes those of the loss by :meth:`backward_part`, and
                returns the loss.
        """

        def evaluate() -> Tensor:
            loss = closure()
            if self.clip_grad_kwargs:
                self._clip_grad()
            return loss

        self._inner_count += 1
        # A loss that is refused leaves no time to look at it within the step.
        if self._has_gradients_first or self.loss_guard is not None:
            loss = evaluate()
            if self.loss_guard is not None and not self.loss_guard(loss):
                self.zero_grad()
                return
        self.optimizer.step(evaluate)  # type: ignore[arg-type]
        self.zero_grad()

    def finish_parts(self) -> None:
        """Count an iteration of :meth:`backward_part`, and update the parameters when due."""
        self._inner_count += 1
        if self.should_update():
            self.step()
            self.zero_grad()

    def _leave_out(self) -> None:
        """Count an iteration whose loss is not backpropagated, in all processes.

        Where its backward pass was to synchronize the gradients that are accumulated so far, they
        are averaged here; sharded ones, which cannot be, are dropped.
        """
        if self.should_sync() and self._is_synchronized:
            if self._clip_of_model is None:
                average_gradients(
                    p for group in self.optimizer.param_groups for p in group["params"]
                )
            else:
                self.zero_grad()
        self._inner_count += 1

    def _has_gradients(self) -> bool:
        """Whether other iterations of the cycle have accumulated gradients."""
        groups = self.optimizer.param_groups
        return any(param.grad is not None for group in groups for param in group["params"])

    def check_losses(self, losses: Mapping[str, Tensor]) -> None:
        """Stop training if a loss is NaN or infinite and ``stop_on_nan_loss`` is set.

        :meth:`update_params` checks the total. Call this before with all losses, like
        :class:`eng.model.BaseModel`, to report which of them is NaN.

        Args:
            losses: Losses by name.

        Raises:
            FloatingPointError: If a loss is NaN or infinite. The message has the iteration, from 1,
                and the losses.
        """
        if not self.stop_on_nan_loss:
            return
        values = {name: float(loss.detach()) for name, loss in losses.items() if "loss" in name}
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        if bad:
            raise FloatingPointError(
                f"iteration {self.inner_count + 1}: {_describe_losses(bad)} (all losses: "
                f"{_describe_losses(values)}); the parameters have not been updated with it"
            )

    @override
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of a loss and count the iteration.

        Args:
            loss: The scaled loss.
            **kwargs: Arguments of :meth:`torch.Tensor.backward`.
        """
        loss.backward(**kwargs)  # type: ignore[no-untyped-call]
        self._inner_count += 1
        self._gradients_are_spent = False

    @override
    def zero_grad(self, **kwargs: Any) -> None:
        """Clear the gradients.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.zero_grad`.
        """
        self.optimizer.zero_grad(**kwargs)
        self._gradients_are_spent = False

    @override
    def step(self, **kwargs: Any) -> None:
        """Clip the gradients, if configured, and update the parameters.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.step`.
        """
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.optimizer.step(**kwargs)
        self._gradients_are_spent = True

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Divide a loss by the number of accumulated iterations.

        Args:
            loss: The loss of the model.

        Returns:
            The loss to backpropagate. The last update of a run may have fewer iterations.
        """
        count = self._accumulative_counts
        if count == 1:
            return loss
        if self._max_counts - self._remainder_counts <= self._inner_count < self._max_counts:
            count = self._remainder_counts
        return loss / count

    def should_update(self) -> bool:
        """Whether the counted iterations complete an update."""
        count = self._inner_count
        return count % self._accumulative_counts == 0 or count == self._max_counts

    def should_sync(self) -> bool:
        """Whether the next backward pass completes an update and must synchronize gradients."""
        count = self._inner_count + 1
        return count % self._accumulative_counts == 0 or count == self._max_counts

    def _tell_sync(self) -> bool:
        """Stands in for :meth:`should_sync`, and tells a sharded model."""
        is_last = type(self).should_sync(self)
        if self._set_sync is not None:
            # Without the backward pass of a refused loss, nothing would sum those before it.
            self._set_sync(is_last or self.loss_guard is not None)
        return is_last

    def accumulate(self, counts: int) -> None:
        """Change the number of iterations for an update, between two updates.

        A cycle of accumulated iterations begins where the run is continued.

        Args:
            counts: The number.

        Raises:
            ValueError: If it is below 1, or above 1 with an optimizer that takes a closure.
        """
        if counts < 1:
            raise ArgumentValueError(f"accumulative_counts must be at least 1, not {counts}")
        check_closure(self.takes_closure, counts, type(self.optimizer).__name__)
        self._accumulative_counts, self._begins_cycle = counts, True

    def optim_context(self, model: nn.Module) -> AbstractContextManager[None]:
        """Enter the context of the forward pass of a training step.

        While gradients are only accumulated, a model with a ``no_sync`` context (a data parallel
        wrapper) does not synchronize them.

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
        """Set the position in the run, so that the last, shorter cycle also updates.

        Args:
            model: The model, to warn if accumulation changes its results.
            init_counts: Completed iterations; a count restored by :meth:`load_accumulation_state`
                takes precedence.
            max_counts: Iterations of the whole run.
        """
        # Training that continues in the same process still has the gradients.
        is_resumed = self._is_resumed or self.inner_count == init_counts
        if self._begins_cycle and not is_resumed:
            self._ahead = -init_counts % self._accumulative_counts
        if not self._is_resumed:
            self._inner_count = init_counts + self._ahead
        self._is_resumed = self._begins_cycle = False
        self._max_counts = max_counts + self._ahead
        self._remainder_counts = self._max_counts % self._accumulative_counts
        if self._accumulative_counts == 1:
            return
        lost = (init_counts + self._ahead) % self._accumulative_counts
        if lost and not is_resumed:
            print_log(
                f"Resuming after {init_counts} iterations, inside a cycle of "
                f"{self._accumulative_counts} accumulated iterations: the gradients of "
                f"{lost} of them are lost.",
                logger="current",
                level=logging.WARNING,
            )
        if any(isinstance(module, _BatchNorm) for module in model.modules()):
            print_log(
                "Gradients are accumulated but the model has batch normalization, whose statistics "
                "are computed per iteration: the result differs from that of a larger batch.",
                logger="current",
                level=logging.WARNING,
            )

    def _meet_model(self, model: nn.Module) -> None:
        """Check the model once, at the first forward pass.

        The optimizer and the model may each have parameters that the other lacks. But an optimizer
        over another model, or over this one before it was sharded, does not train it.
        """
        own = {id(parameter) for parameter in model.parameters()}
        ours = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        if not any(id(parameter) in own for parameter in ours):
            print_log(
                f"None of the {len(ours)} parameters of the optimizer "
                f"{type(self.optimizer).__name__} belongs to the model {type(model).__name__}, "
                "which it does not train: build the optimizer from the parameters of this model, "
                "after sharding or copying it.",
                logger="current",
                level=logging.WARNING,
            )
        self._clip_of_model = getattr(model, "clip_grad_norm_", None)
        self._is_synchronized = get_world_size() > 1 and hasattr(model, "no_sync")
        self._set_sync = getattr(model, "set_gradient_sync", None)
        if self._set_sync is not None:  # others look at nothing more in an iteration
            self.should_sync = self._tell_sync  # type: ignore[method-assign]

    def watch_left_out(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Warn once for each of these parameters if it is no longer frozen.

        Args:
            parameters: Frozen parameters by name, which are excluded from the optimizer.
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
            f"built are no longer frozen, but they are not in its groups and are not updated: "
            f"{', '.join(thawed)}. Freeze them after building the optimizer, or add them with "
            "add_param_group.",
            logger="current",
            level=logging.WARNING,
        )

    def _clip_grad(self) -> None:
        norm: Tensor | None
        if self._clip_of_model is not None and self.grad_name == "grad_norm":
            # Collective: also in a process without a shard of any gradient.
            norm = self._clip_of_model(**self.clip_grad_kwargs)
        else:
            norm = self._clip_own()
        if norm is not None:
            # The norm of sharded gradients is gathered here, where all processes participate.
            norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
            # Recorded as a tensor, which is only copied from the device when it is printed.
            self.message_hub.update_scalar(f"train/{self.grad_name}", norm.detach())

    def _clip_own(self) -> Tensor | None:
        parameters = [
            parameter
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        return self.clip_func(parameters, **self.clip_grad_kwargs) if parameters else None

    # ------------------------------------------------------------------ state and settings

    def accumulation_state(self) -> StateDict:
        """Return the position in the cycle of accumulated iterations, of this process only.

        Returns:
            ``inner_count`` and ``accumulative_counts``, ``ahead`` if the count is ahead of the
            iterations, and in an open cycle ``gradients``: the accumulated gradients on the CPU, by
            the index of their parameter in the optimizer; None is a zero gradient. ``lost`` where a
            sharded model has them, not summed over processes.
        """
        waiting = {} if self._gradients_are_spent else waiting_gradients(self.optimizer)
        normalizer = self.loss_normalizer
        return {
            "inner_count": self._inner_count,
            "accumulative_counts": self._accumulative_counts,
            **({"ahead": self._ahead} if self._ahead else {}),
            **({"lost": True} if self._has_unsynchronized() else {}),
            **({"gradients": waiting} if waiting else {}),
            **({} if normalizer is None else {"normalizer": normalizer.state_dict()}),
        }

    def load_accumulation_state(self, state: Mapping[str, Any]) -> None:
        """Resume inside a cycle of accumulated iterations.

        Args:
            state: Result of :meth:`accumulation_state` in the same process of another run.
                Gradients with a size mismatch, or of a cycle of another length, are reported as
                lost.
        """
        gradients = state.get("gradients", {})
        counts = state["accumulative_counts"]
        if counts != self._accumulative_counts:
            if gradients:
                print_log(
                    f"Resuming inside a cycle of {counts} accumulated iterations, now of "
                    f"{self._accumulative_counts}: the gradients of the open cycle are lost.",
                    logger="current",
                    level=logging.WARNING,
                )
            return
        self._ahead = state.get("ahead", 0)
        if state.get("lost"):  # reported where the run is continued
            return
        self._inner_count, self._is_resumed = state["inner_count"], True
        problem = put_gradients(self.optimizer, gradients)
        if self.loss_normalizer is not None:
            self.loss_normalizer.reset()
            if state.get("normalizer") and not problem:
                self.loss_normalizer.load_state_dict(state["normalizer"])
        if problem:
            print_log(
                f"Resuming inside a cycle of accumulated iterations: {problem}; its gradients are "
                "lost.",
                logger="current",
                level=logging.WARNING,
            )

    def _has_unsynchronized(self) -> bool:
        """Whether the model has gradients that are not summed over processes yet."""
        return self._set_sync is not None and self.loss_guard is None and not self.should_update()

    @property
    def inner_count(self) -> int:
        """Number of backward passes so far."""
        return self._inner_count - self._ahead

    @property
    def accumulative_counts(self) -> int:
        """Number of iterations whose gradients are accumulated for one update."""
        return self._accumulative_counts

    @override
    def __repr__(self) -> str:
        optimizer = repr(self.optimizer).replace("\n", "\n    ")
        return (
            f"Type: {type(self).__name__}\n"
            f"accumulative_counts: {self._accumulative_counts}\n"
            f"optimizer:\n    {optimizer}"
        )


def _to_int(counts: float) -> int:
    """Take integers of numpy and quotients such as ``64 / 16``, too."""
    number = int(counts) if isinstance(counts, (numbers.Integral, float)) else None
    if number is None or number != counts:
        found = counts if isinstance(counts, float) else type(counts).__name__
        raise ArgumentTypeError(f"accumulative_counts must be an int, not {found}")
    return number


def _refuse_to_normalize(*_: object, **__: object) -> NoReturn:
    raise ArgumentTypeError(
        "update_params() does not know the samples or tokens of the loss, which loss_normalizer "
        "needs: call update_normalized(loss, count), as BaseModel.train_step does"
    )


def _describe_losses(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} is {value}" for name, value in losses.items())
