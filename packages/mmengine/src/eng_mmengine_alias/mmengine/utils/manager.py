"""Names of mmengine.utils.manager, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import ManagerMeta as ManagerMeta
    from eng.utils import ManagerMixin as ManagerMixin

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "ManagerMeta ManagerMixin",
    },
)
