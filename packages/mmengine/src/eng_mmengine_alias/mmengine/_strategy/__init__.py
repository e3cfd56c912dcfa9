"""Names of mmengine._strategy, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.runner import ColossalAIStrategy as ColossalAIStrategy
    from eng.runner import DDPStrategy as DDPStrategy
    from eng.runner import DeepSpeedStrategy as DeepSpeedStrategy
    from eng.runner import FSDPStrategy as FSDPStrategy
    from eng.runner import SingleDeviceStrategy as SingleDeviceStrategy
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION",
        "eng.runner": "BaseStrategy ColossalAIStrategy DDPStrategy DeepSpeedStrategy FSDPStrategy SingleDeviceStrategy",
        "eng.utils": "digit_version",
    },
    modules="base colossalai deepspeed distributed fsdp single_device utils",
)
