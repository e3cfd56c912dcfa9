"""Names of mmengine.hooks.test_time_aug_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Hook as Hook
    from eng.hooks import PrepareTTAHook as PrepareTTAHook
    from eng.hooks import build_runner_with_tta as build_runner_with_tta
    from eng.registry import HOOKS as HOOKS
    from eng.registry import MODELS as MODELS
    from eng.registry import RUNNERS as RUNNERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Hook PrepareTTAHook build_runner_with_tta",
        "eng.registry": "HOOKS MODELS RUNNERS",
    },
)
