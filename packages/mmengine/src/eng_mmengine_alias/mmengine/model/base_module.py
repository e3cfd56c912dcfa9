"""Names of mmengine.model.base_module, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import master_only as master_only
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.logging import MMLogger as MMLogger
    from eng.logging import print_log as print_log
    from eng.model import BaseModule as BaseModule
    from eng.model import ModuleDict as ModuleDict
    from eng.model import ModuleList as ModuleList
    from eng.model import PretrainedInit as PretrainedInit
    from eng.model import Sequential as Sequential
    from eng.model import initialize as initialize
    from eng.model import update_init_info as update_init_info

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "master_only",
        "eng.dl_utils": "is_model_wrapper",
        "eng.logging": "MMLogger print_log",
        "eng.model": "BaseModule ModuleDict ModuleList PretrainedInit Sequential initialize update_init_info",
    },
)
