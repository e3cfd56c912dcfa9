"""Several optimizer wrappers, for models that train their parts separately."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from typing import Any, NoReturn

from torch import Tensor, nn

from eng.utils import ArgumentKeyError, ArgumentTypeError, override

from .accumulation import waiting_gradients
from .optimizer_wrapper import OptimWrapper

__all__ = ["OptimWrapperDict"]


class OptimWrapperDict(OptimWrapper):
    """Optimizer wrappers by name. Each is updated by whoever knows its loss.

    Args:
        **optimizer_wrapper_dict: The wrappers.

    Raises:
        TypeError: If a value is no wrapper.

    Examples:
        >>> import torch
        >>> from torch.optim import SGD
        >>> generator, discriminator = nn.Linear(2, 4), nn.Linear(4, 1)
        >>> optim_wrapper = OptimWrapperDict(
        ...     generator=OptimWrapper(SGD(generator.parameters(), lr=0.1)),
        ...     discriminator=OptimWrapper(SGD(discriminator.parameters(), lr=0.2)))
        >>> loss = -discriminator(generator(torch.randn(8, 2))).mean()
        >>> optim_wrapper['generator'].update_params(loss)
        >>> optim_wrapper.get_lr()
        {'generator.lr': [0.1], 'discriminator.lr': [0.2]}
    """

    def __init__(self, **optimizer_wrapper_dict: OptimWrapper) -> None:
        for name, wrapper in optimizer_wrapper_dict.items():
            if not isinstance(wrapper, OptimWrapper):
                raise ArgumentTypeError(
                    f"{name!r} must be an OptimWrapper, not {type(wrapper).__name__}"
                )
        self.optim_wrappers = dict(optimizer_wrapper_dict)

    @override
    def update_params(
        self,
        loss: Tensor,
        step_kwargs: dict[str, Any] | None = None,
        zero_kwargs: dict[str, Any] | None = None,
    ) -> NoReturn:
        self._refuse("update_params")

    @override
    def backward(self, loss: Tensor, **kwargs: Any) -> NoReturn:
        self._refuse("backward")

    @override
    def step(self, **kwargs: Any) -> NoReturn:
        self._refuse("step")

    def _refuse(self, method: str) -> NoReturn:
        raise NotImplementedError(
            f"an OptimWrapperDict has several losses: call {method} of one of its wrappers "
            f"({', '.join(self.optim_wrappers)})"
        )

    @override
    def check_losses(self, losses: Mapping[str, Tensor]) -> None:
        """Stop training at a NaN loss if one of the wrappers is to.

        Args:
            losses: Losses by name.
        """
        for wrapper in self.values():
            wrapper.check_losses(losses)

    @override
    def zero_grad(self, **kwargs: Any) -> None:
        """Drop the gradients of all parameters.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.zero_grad`.
        """
        for wrapper in self.values():
            wrapper.zero_grad(**kwargs)

    @contextmanager
    @override
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Does nothing: enter the context of the wrapper whose loss is computed.

        Args:
            model: The model.

        Yields:
            Nothing.
        """
        yield

    @override
    def initialize_count_status(self, model: nn.Module, cur_iter: int, max_iters: int) -> None:
        """Does nothing: only the model knows how often each wrapper is updated.

        Args:
            model: The model.
            cur_iter: Iterations done so far.
            max_iters: Iterations of the whole run.
        """

    @property
    @override
    def param_groups(self) -> dict[str, list[dict[str, Any]]]:  # type: ignore[override]
        """The parameter groups of every wrapper, by name."""
        return {name: wrapper.param_groups for name, wrapper in self.items()}

    @property
    @override
    def defaults(self) -> dict[str, dict[str, Any]]:
        """The default settings of every optimizer, by name."""
        return {name: wrapper.defaults for name, wrapper in self.items()}

    @property
    @override
    def inner_count(self) -> NoReturn:
        """Not defined: each wrapper counts for itself."""
        self._refuse("inner_count")

    @property
    @override
    def accumulative_counts(self) -> NoReturn:
        """Not defined: each wrapper accumulates for itself."""
        self._refuse("accumulative_counts")

    @override
    def get_lr(self) -> dict[str, list[float]]:
        """The learning rates of every wrapper, under ``<name>.lr``."""
        return self._collect("get_lr")

    @override
    def get_momentum(self) -> dict[str, list[float]]:
        """The momenta of every wrapper, under ``<name>.momentum``."""
        return self._collect("get_momentum")

    def _collect(self, method: str) -> dict[str, list[float]]:
        return {
            f"{name}.{key}": value
            for name, wrapper in self.items()
            for key, value in getattr(wrapper, method)().items()
        }

    @override
    def state_dict(self) -> dict[str, Any]:
        """The state of every wrapper, by name."""
        return {name: wrapper.state_dict() for name, wrapper in self.items()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of every wrapper.

        Args:
            state_dict: What :meth:`state_dict` gave.

        Raises:
            KeyError: If a name is unknown.
        """
        for name, state in state_dict.items():
            if name not in self.optim_wrappers:
                raise ArgumentKeyError(
                    f"the state has an optimizer {name!r}; known are {list(self.optim_wrappers)}"
                )
            self.optim_wrappers[name].load_state_dict(state)

    @override
    def accumulation_state(self) -> dict[str, Any]:
        """Where every wrapper is in its cycle, by name, of this process alone.

        Gradients that one wrapper's loss left in the parameters of another are part of it.
        """
        states = {name: wrapper.accumulation_state() for name, wrapper in self.items()}
        for name, wrapper in self.items():
            waiting = waiting_gradients(wrapper.optimizer)
            if waiting:
                states[name]["gradients"] = waiting
        return states

    @override
    def load_accumulation_state(self, state: Mapping[str, Any]) -> None:
        """Continue within cycles of accumulated iterations.

        Args:
            state: What :meth:`accumulation_state` returned. A name that is none here is left out.
        """
        for name, wrapper in self.items():
            if name in state:
                wrapper.load_accumulation_state(state[name])

    def items(self) -> ItemsView[str, OptimWrapper]:
        """Names and wrappers."""
        return self.optim_wrappers.items()

    def keys(self) -> KeysView[str]:
        """The names."""
        return self.optim_wrappers.keys()

    def values(self) -> ValuesView[OptimWrapper]:
        """The wrappers."""
        return self.optim_wrappers.values()

    def __getitem__(self, key: str) -> OptimWrapper:
        return self.optim_wrappers[key]

    def __contains__(self, key: str) -> bool:
        return key in self.optim_wrappers

    def __len__(self) -> int:
        return len(self.optim_wrappers)

    @override
    def __repr__(self) -> str:
        return "\n".join(f"name: {name}\n{wrapper!r}" for name, wrapper in self.items())
