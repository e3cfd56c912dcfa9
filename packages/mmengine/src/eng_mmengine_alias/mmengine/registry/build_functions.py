"""Names of mmengine.registry.build_functions, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.registry import Registry as Registry
    from eng.registry import build_from_cfg as build_from_cfg
    from eng.registry import build_model_from_cfg as build_model_from_cfg
    from eng.registry import build_optimizer_from_cfg as build_optimizer_from_cfg
    from eng.registry import build_runner_from_cfg as build_runner_from_cfg
    from eng.registry import build_scheduler_from_cfg as build_scheduler_from_cfg
    from eng.utils import ManagerMixin as ManagerMixin
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.registry": "Registry build_from_cfg build_model_from_cfg build_optimizer_from_cfg build_runner_from_cfg build_scheduler_from_cfg",
        "eng.utils": "ManagerMixin digit_version",
    },
)
