"""Turn on deterministic algorithms for the runs that ask for them alone."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch

__all__ = ["follow_determinism", "use_deterministic_algorithms"]


class _Flags(NamedTuple):
    """The flags of torch for deterministic algorithms; each run sets cuDNN's benchmark itself."""

    is_on: bool
    warns_only: bool
    is_cudnn_deterministic: bool

    @classmethod
    def present(cls) -> _Flags:
        return cls(
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.deterministic,
        )

    def apply(self) -> None:
        torch.use_deterministic_algorithms(self.is_on, warn_only=self.warns_only)
        torch.backends.cudnn.deterministic = self.is_cudnn_deterministic


_STRICT = _Flags(is_on=True, warns_only=False, is_cudnn_deterministic=True)
#: The flags before the first run that turned them on; none where the last run did not.
_before: list[_Flags] = []


def use_deterministic_algorithms() -> None:
    """Let torch use deterministic algorithms only."""
    # cuBLAS refuses to be deterministic without a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    _STRICT.apply()


def follow_determinism(is_asked: bool) -> None:
    """Let torch be deterministic if a run asks for it, else as before the run that asked for it.

    What other code has set is left as it is.

    Args:
        is_asked: Whether the run asks for deterministic algorithms.
    """
    if is_asked:
        if not _before:
            _before.append(_Flags.present())
        use_deterministic_algorithms()
    elif _before:
        pairs = zip(_Flags.present(), _STRICT, _before.pop(), strict=True)
        _Flags(*(old if new == strict else new for new, strict, old in pairs)).apply()
