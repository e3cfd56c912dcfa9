"""Names of mmengine.logging.logger, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import FilterDuplicateWarning as FilterDuplicateWarning
    from eng.logging import MMLogger as MMLogger
    from eng.logging import print_log as print_log
    from eng.utils import ManagerMixin as ManagerMixin

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "FilterDuplicateWarning MMLogger print_log",
        "eng.utils": "ManagerMixin",
    },
    missing={
        "MMFormatter": "",
    },
)
