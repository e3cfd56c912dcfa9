"""Optimizer wrappers by name, for models whose parts are trained separately."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from typing import Any, NoReturn

from torch import Tensor, nn

from eng.utils import ArgumentKeyError, ArgumentTypeError, StateDict, override

from ..types import Arguments, ParamGroup
from .accumulation import waiting_gradients
from .optimizer_wrapper import OptimWrapper

__all__ = ["OptimWrapperDict"]


class OptimWrapperDict(OptimWrapper):
    """Optimizer wrappers by name. The model updates each of them with its loss.

    Args:
        **optimizer_wrapper_dict: The wrappers.

    Raises:
        TypeError: If a value is not a wrapper.

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
        step_kwargs: Arguments | None = None,
        zero_kwargs: Arguments | None = None,
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
        for wrapper in self.values():
            wrapper.check_losses(losses)

    @override
    def zero_grad(self, **kwargs: Any) -> None:
        for wrapper in self.values():
            wrapper.zero_grad(**kwargs)

    @contextmanager
    @override
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Have no effect: enter the context of the wrapper whose loss is computed.

        Args:
            model: The model.

        Yields:
            Nothing.
        """
        yield

    @override
    def initialize_count_status(self, model: nn.Module, cur_iter: int, max_iters: int) -> None:
        """Have no effect: only the model knows how often it updates each wrapper.

        Args:
            model: The model.
            cur_iter: Completed iterations.
            max_iters: Iterations of the whole run.
        """

    @property
    @override
    def param_groups(self) -> dict[str, list[ParamGroup]]:  # type: ignore[override]
        """The parameter groups of every wrapper, by name."""
        return {name: wrapper.param_groups for name, wrapper in self.items()}

    @property
    @override
    def defaults(self) -> dict[str, Arguments]:
        """The default settings of every optimizer, by name."""
        return {name: wrapper.defaults for name, wrapper in self.items()}

    @property
    @override
    def inner_count(self) -> NoReturn:
        """Not supported: each wrapper has its own count."""
        self._refuse("inner_count")

    @property
    @override
    def accumulative_counts(self) -> NoReturn:
        """Not supported: each wrapper accumulates separately."""
        self._refuse("accumulative_counts")

    @override
    def get_lr(self) -> dict[str, list[float]]:
        """Return the learning rates of every wrapper, as ``<name>.lr``."""
        return self._collect("get_lr")

    @override
    def get_momentum(self) -> dict[str, list[float]]:
        """Return the momenta of every wrapper, as ``<name>.momentum``."""
        return self._collect("get_momentum")

    def _collect(self, method: str) -> dict[str, list[float]]:
        return {
            f"{name}.{key}": value
            for name, wrapper in self.items()
            for key, value in getattr(wrapper, method)().items()
        }

    @override
    def state_dict(self) -> StateDict:
        """Return the state of every wrapper, by name."""
        return {name: wrapper.state_dict() for name, wrapper in self.items()}

    @override
    def load_state_dict(self, state_dict: StateDict) -> None:
        """Load the state of every wrapper.

        Args:
            state_dict: Result of :meth:`state_dict`.

        Raises:
            KeyError: If a name is unknown.
        """
        for name, state in state_dict.items():
            if name not in self.optim_wrappers:
                raise ArgumentKeyError(
                    f"unexpected key {name!r} in the state of the optimizers; "
                    f"expected: {list(self.optim_wrappers)}"
                )
            self.optim_wrappers[name].load_state_dict(state)

    @property
    @override
    def is_training(self) -> bool:
        return all(wrapper.is_training for wrapper in self.values())

    @override
    def train(self) -> None:
        for wrapper in self.values():
            wrapper.train()

    @override
    def eval(self) -> None:
        for wrapper in self.values():
            wrapper.eval()

    @override
    def accumulation_state(self) -> StateDict:
        """Return the position of every wrapper in its cycle, by name, of this process only.

        It includes gradients of the loss of one wrapper in the parameters of another.
        """
        states = {name: wrapper.accumulation_state() for name, wrapper in self.items()}
        for name, wrapper in self.items():
            waiting = waiting_gradients(wrapper.optimizer)
            if waiting:
                states[name]["gradients"] = waiting
        return states

    @override
    def load_accumulation_state(self, state: Mapping[str, Any]) -> None:
        """Resume inside cycles of accumulated iterations.

        Args:
            state: Result of :meth:`accumulation_state`. Unknown names are ignored.
        """
        for name, wrapper in self.items():
            if name in state:
                wrapper.load_accumulation_state(state[name])

    def items(self) -> ItemsView[str, OptimWrapper]:
        """Return the names and wrappers."""
        return self.optim_wrappers.items()

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self.optim_wrappers.keys()

    def values(self) -> ValuesView[OptimWrapper]:
        """Return the wrappers."""
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
