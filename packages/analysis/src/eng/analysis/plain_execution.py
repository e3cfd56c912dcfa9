"""Run a model by plain operators, which the tracer follows, and leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import CheckpointFunction

__all__ = ["plain_execution", "state_kept"]


@contextmanager
def state_kept(model: nn.Module) -> Iterator[None]:
    """Restore buffers, such as running means in training, and the random generators."""
    kept = [(module, dict(module._buffers)) for module in model.modules()]
    values = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    gpus = {t.get_device() for t in (*model.parameters(), *model.buffers()) if t.is_cuda}
    with torch.random.fork_rng(devices=sorted(gpus)):
        try:
            yield
        finally:
            for module, buffers in kept:  # a module may have put another in the place of one
                module._buffers.update(buffers)
            for buffer, value in values:
                buffer.copy_(value)


@contextmanager
def plain_execution(model: nn.Module) -> Iterator[None]:
    """Switch off what hides operators from the tracer: compiled code, fused layers, checkpoints."""
    with ExitStack() as stack:
        stack.callback(
            torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled()
        )
        torch.backends.mha.set_fastpath_enabled(False)
        # The tracer fails within activation checkpoints of the reentrant kind.
        stack.enter_context(_replaced(CheckpointFunction, "apply", staticmethod(_run_directly)))
        for module in model.modules():
            if getattr(module, "_compiled_call_impl", None) is not None:
                stack.enter_context(_replaced(module, "_compiled_call_impl", None))
            if "_orig_mod" in module._modules:  # torch.compile(module)
                stack.enter_context(_replaced(module, "forward", module._orig_mod))
        yield


def _run_directly(function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
    return function(*args)


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute of an object or class itself, and take it away or put the former back."""
    attributes = vars(owner)
    was_there, before = name in attributes, attributes.get(name)
    # Not through nn.Module.__setattr__, which would make a module of this name of the value.
    set_attribute = type.__setattr__ if isinstance(owner, type) else object.__setattr__
    set_attribute(owner, name, value)
    try:
        yield
    finally:
        if was_there:
            set_attribute(owner, name, before)
        else:
            (type if isinstance(owner, type) else object).__delattr__(owner, name)
