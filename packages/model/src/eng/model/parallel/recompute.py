"""Recompute the forward pass of parts of a model in the backward pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

__all__ = ["recompute_parts", "wrap_forward"]


def recompute_parts(parts: Iterable[nn.Module]) -> None:
    """Recompute parts of a model in the backward pass, so that their activations are not kept.

    See :func:`torch.utils.checkpoint.checkpoint`.

    Args:
        parts: The parts. One that is recomputed already is left alone.
    """
    for part in parts:
        if not hasattr(part.forward, "recomputes"):
            part.forward = wrap_forward(part.forward)


def wrap_forward(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a forward pass so that it is recomputed in the backward pass.

    Args:
        forward: The method, of any arguments.

    Returns:
        The method to put in its place.
    """
    if isinstance(forward, MethodType):
        # Bound anew, so that a copy of the module calls its own method.
        return MethodType(_recompute(forward.__func__, skip=1), forward.__self__)
    return _recompute(forward)


def _recompute(forward: Callable[..., Any], skip: int = 0) -> Callable[..., Any]:
    @functools.wraps(forward)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        bound = functools.partial(forward, *args[:skip])
        # Gradients reach the parameters even where no input needs one.
        return checkpoint(bound, *args[skip:], use_reentrant=False, **kwargs)

    recomputed.recomputes = True  # type: ignore[attr-defined]
    return recomputed
