"""Data parallel wrapper of models whose parts are updated separately, such as GANs."""

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
from eng.utils import DataBatch, override

from ..initial_values import share_initial_values
from ..types import ModelOutputs
from .distributed import MMDistributedDataParallel
from .model_steps import ModelSteps

__all__ = ["MMSeparateDistributedDataParallel"]


@MODEL_WRAPPERS.register_module()
class MMSeparateDistributedDataParallel(ModelSteps, DistributedDataParallel):
    """Wraps every child of a model in its own :class:`MMDistributedDataParallel`.

    A single wrapper around a whole GAN would wait for gradients of the generator while only the
    discriminator is updated. Here each direct child with trainable parameters has its own wrapper,
    which the steps of the model call.

    Args:
        module: The model. With several processes, all its trainable parameters must be in children.
        broadcast_buffers: Whether to broadcast buffers of the first process before each forward
            pass. Defaults to False.
        find_unused_parameters: Whether to search for parameters that do not contribute to the
            output. Defaults to False.
        **kwargs: Further arguments of :class:`MMDistributedDataParallel`.

    Raises:
        ValueError: If the model itself has trainable parameters and there are several processes,
            which would not synchronize them.
    """

    def __init__(
        self,
        module: nn.Module,
        broadcast_buffers: bool = False,
        find_unused_parameters: bool = False,
        **kwargs: Any,
    ) -> None:
        # Torch's class is only a base for isinstance; its constructor would wrap the whole model.
        nn.Module.__init__(self)
        own = [n for n, p in module.named_parameters(recurse=False) if p.requires_grad]
        if own and get_world_size() > 1:
            raise ValueError(
                f"{type(module).__name__} itself has trainable parameters, {own}, whose gradients "
                "would not be synchronized: move them to a child module"
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
        self, data: DataBatch, optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Call the step of the model, which calls its wrapped children."""
        return self.module.train_step(data, optim_wrapper)

    @override
    def forward(self, *args: object, **kwargs: object) -> ModelOutputs:
        return self.module(*args, **kwargs)

    @contextmanager
    @override
    def no_sync(self) -> Iterator[None]:
        """Disable gradient synchronization of all children, for gradient accumulation.

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
        self.training = mode
        self.module.train(mode)
        return self
