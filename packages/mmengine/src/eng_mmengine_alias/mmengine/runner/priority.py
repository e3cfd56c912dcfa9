"""Names of mmengine.runner.priority, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Priority as Priority
    from eng.hooks import get_priority as get_priority

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Priority get_priority",
    },
)
