"""Names of mmengine.registry.default_scope, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.registry import DefaultScope as DefaultScope
    from eng.utils import ManagerMixin as ManagerMixin

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.registry": "DefaultScope",
        "eng.utils": "ManagerMixin",
    },
)
