"""Run a model with plain operators, which the tracer supports, and restore its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import torch
from torch import nn
from torch.utils.checkpoint import CheckpointFunction

__all__ = ["plain_execution", "state_kept"]

ResultT = TypeVar("ResultT")


@contextmanager
def state_kept(model: nn.Module) -> Iterator[None]:
    """Restore buffers, such as running means in training, and the random number generators."""
    kept = [(module, dict(module._buffers)) for module in model.modules()]
    values = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    gpus = {t.get_device() for t in (*model.parameters(), *model.buffers()) if t.is_cuda}
    with torch.random.fork_rng(devices=sorted(gpus)):
        try:
            yield
        finally:
            for module, buffers in kept:  # a module may have replaced a buffer
                module._buffers.update(buffers)
            for buffer, value in values:
                buffer.copy_(value)


@contextmanager
def plain_execution(model: nn.Module) -> Iterator[None]:
    """Disable code that hides operators from the tracer: compiled, fused and checkpointed."""
    with ExitStack() as stack:
        stack.callback(
            torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled()
        )
        torch.backends.mha.set_fastpath_enabled(False)
        # The tracer fails within reentrant activation checkpoints.
        stack.enter_context(_replace(CheckpointFunction, "apply", staticmethod(_run_directly)))
        for module in model.modules():
            if getattr(module, "_compiled_call_impl", None) is not None:
                stack.enter_context(_replace(module, "_compiled_call_impl", None))
            if "_orig_mod" in module._modules:  # torch.compile(module)
                stack.enter_context(_replace(module, "forward", module._orig_mod))
        yield


def _run_directly(
    function: Callable[..., ResultT], preserve_rng_state: bool, *args: object
) -> ResultT:
    return function(*args)


@contextmanager
def _replace(owner: object, name: str, value: object) -> Iterator[None]:
    """Set an attribute in the ``__dict__`` of an object or class, and restore it afterwards."""
    attributes = vars(owner)
    was_there, before = name in attributes, attributes.get(name)
    # Not through nn.Module.__setattr__, which would register a module value as a child.
    set_attribute = type.__setattr__ if isinstance(owner, type) else object.__setattr__
    set_attribute(owner, name, value)
    try:
        yield
    finally:
        if was_there:
            set_attribute(owner, name, before)
        else:
            (type if isinstance(owner, type) else object).__delattr__(owner, name)
