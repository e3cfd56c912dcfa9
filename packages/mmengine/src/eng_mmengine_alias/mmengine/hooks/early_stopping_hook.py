"""Names of mmengine.hooks.early_stopping_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import EarlyStoppingHook as EarlyStoppingHook
    from eng.hooks import Hook as Hook
    from eng.registry import HOOKS as HOOKS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "EarlyStoppingHook Hook",
        "eng.registry": "HOOKS",
    },
)
