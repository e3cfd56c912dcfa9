"""Compile parts of a model in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

__all__ = ["compile_parts"]


def compile_parts(parts: Iterable[nn.Module], **settings: Any) -> None:
    """Compile parts of a model in their place, so that the names of weights stay.

    Args:
        parts: The parts. One that is compiled already is left alone.
        **settings: Arguments of :func:`torch.compile`.
    """
    for part in parts:
        if getattr(part, "_compiled_call_impl", None) is None:
            part.compile(**settings)
