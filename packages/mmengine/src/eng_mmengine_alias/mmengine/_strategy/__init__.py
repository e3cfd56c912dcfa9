"""Names of mmengine._strategy, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION",
        "eng.utils": "digit_version",
    },
    missing={
        "BaseStrategy": "",
        "ColossalAIStrategy": "",
        "DDPStrategy": "",
        "DeepSpeedStrategy": "",
        "FSDPStrategy": "",
        "SingleDeviceStrategy": "",
    },
    modules="base colossalai deepspeed distributed fsdp single_device utils",
)
