"""Compile parts of a model in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

__all__ = ["compile_forward", "compile_parts"]


def compile_parts(parts: Iterable[nn.Module], **settings: Any) -> None:
    """Compile parts of a model in their place, so that the names of weights stay.

    Args:
        parts: The parts. One that is compiled already is left alone.
        **settings: Arguments of :func:`torch.compile`.
    """
    for part in parts:
        is_compiled = hasattr(part.forward, "_torchdynamo_orig_callable")
        if getattr(part, "_compiled_call_impl", None) is None and not is_compiled:
            part.compile(**settings)


def compile_forward(part: nn.Module, **settings: Any) -> None:
    """Compile the forward pass of a part without its hooks and what is wrapped around it later.

    Args:
        part: The part.
        **settings: Arguments of :func:`torch.compile`.
    """
    part.forward = torch.compile(part.forward, **settings)
