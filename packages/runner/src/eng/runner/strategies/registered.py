"""Import all strategies, which registers them."""

from . import colossalai, deepspeed, distributed, fsdp, single_device

__all__ = ["colossalai", "deepspeed", "distributed", "fsdp", "single_device"]
