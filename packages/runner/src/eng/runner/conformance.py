"""Check by types that Runner implements the protocols of hooks and loops. Never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eng.hooks import HookRunner

    from .protocol import LoopRunner
    from .runner import Runner

__all__: list[str] = []


def _conform(runner: Runner) -> tuple[HookRunner, LoopRunner]:
    return runner, runner
