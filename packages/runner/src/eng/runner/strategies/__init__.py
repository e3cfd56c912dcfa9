"""Ways to run a model on one device or on several, by name."""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
    from .base import BaseStrategy
    from .colossalai import ColossalAIModelWrapper, ColossalAIOptimWrapper, ColossalAIStrategy
    from .deepspeed import DeepSpeedStrategy
    from .deepspeed_parts import (
        DeepSpeedOptimWrapper,
        MMDeepSpeedEngineWrapper,
        register_deepspeed_optimizers,
    )
    from .distributed import DDPStrategy
    from .fsdp import FSDPStrategy
    from .single_device import SingleDeviceStrategy

__all__ = [
    "BaseStrategy",
    "ColossalAIModelWrapper",
    "ColossalAIOptimWrapper",
    "ColossalAIStrategy",
    "DDPStrategy",
    "DeepSpeedOptimWrapper",
    "DeepSpeedStrategy",
    "FSDPStrategy",
    "MMDeepSpeedEngineWrapper",
    "SingleDeviceStrategy",
    "register_deepspeed_optimizers",
]

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".base": ("BaseStrategy",),
        ".colossalai": ("ColossalAIModelWrapper", "ColossalAIOptimWrapper", "ColossalAIStrategy"),
        ".deepspeed": ("DeepSpeedStrategy",),
        ".deepspeed_parts": (
            "DeepSpeedOptimWrapper",
            "MMDeepSpeedEngineWrapper",
            "register_deepspeed_optimizers",
        ),
        ".distributed": ("DDPStrategy",),
        ".fsdp": ("FSDPStrategy",),
        ".single_device": ("SingleDeviceStrategy",),
    },
)
