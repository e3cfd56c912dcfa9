"""Data parallel training of models whose parts are updated in turn, such as a GAN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel.distributed import DistributedDataParallel

from eng.device import get_device
from eng.dist import get_world_size
from eng.optim import OptimWrapperDict
from eng.registry import MODEL_WRAPPERS
from eng.utils import override

from .distributed import MMDistributedDataParallel
from .initial_values import share_initial_values
from .model_steps import ModelSteps

__all__ = ["MMSeparateDistributedDataParallel"]


@MODEL_WRAPPERS.register_module()
class MMSeparateDistributedDataParallel(ModelSteps, DistributedDataParallel):
    """Wraps every part of a model in a :class:`MMDistributedDataParallel` of its own.

    One wrapper around a whole GAN would wait for gradients of the generator while only the
    discriminator is updated. Here each direct child with parameters to train has its own; the
    steps are the model's, which calls its children and so their wrappers.

    Args:
        module: The model. With several processes it has no parameters to train outside of its
            children.
        broadcast_buffers: Whether buffers are taken from the first process before each forward
            pass. Defaults to False.
        find_unused_parameters: Whether parameters without part in an output are looked for.
            Defaults to False.
        **kwargs: Further arguments of :class:`MMDistributedDataParallel`.

    Raises:
        ValueError: If the model itself has parameters to train, which several processes would not
            share.
    """

    def __init__(
        self,
        module: nn.Module,
        broadcast_buffers: bool = False,
        find_unused_parameters: bool = False,
        **kwargs: Any,
    ) -> None:
        # Torch's class is the base for the sake of isinstance; its constructor would wrap the
        # whole.
        nn.Module.__init__(self)
        own = [n for n, p in module.named_parameters(recurse=False) if p.requires_grad]
        if own and get_world_size() > 1:
            raise ValueError(
                f"{type(module).__name__} itself has parameters to train, {own}, whose gradients "
                "would not be shared: put them into a child"
            )
        self.module = module
        device = torch.device(get_device())
        for parameter in module.parameters(recurse=False):
            parameter.data = parameter.data.to(device)
        for name, child in module.named_children():
            child.to(device)
            if any(parameter.requires_grad for parameter in child.parameters()):
                settings = dict(kwargs)
                if device.type != "cpu":
                    settings.setdefault("device_ids", [torch.accelerator.current_device_index()])
                module._modules[name] = MMDistributedDataParallel(
                    child,
                    broadcast_buffers=broadcast_buffers,
                    find_unused_parameters=find_unused_parameters,
                    **settings,
                )
            else:
                share_initial_values(child)

    @override
    def train_step(  # type: ignore[override]
        self, data: dict[str, Any] | tuple | list, optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Let the model take its own step, which calls its wrapped children."""
        return self.module.train_step(data, optim_wrapper)

    @override
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model, whose children share gradients.

        Args:
            *args: Arguments of the model.
            **kwargs: Arguments of the model.

        Returns:
            What it gives.
        """
        return self.module(*args, **kwargs)

    @contextmanager
    @override
    def no_sync(self) -> Iterator[None]:
        """Keep all parts from sharing gradients, while they are only accumulated.

        Yields:
            Nothing.
        """
        with ExitStack() as stack:
            for child in self.module.children():
                if isinstance(child, DistributedDataParallel):
                    stack.enter_context(child.no_sync())
            yield

    @override
    def train(self, mode: bool = True) -> MMSeparateDistributedDataParallel:
        """Set training or evaluation mode.

        Args:
            mode: Whether training mode. Defaults to True.

        Returns:
            The wrapper itself.
        """
        self.training = mode
        self.module.train(mode)
        return self
