"""Wrappers that shard parameters over processes.

Apart from the others since importing torch's part of it takes longer than all the rest: it is
imported when one of these is asked for, by name in code or in a config.
"""

from .fully_shard import MMFullyShard
from .fully_sharded_distributed import MMFullyShardedDataParallel

__all__ = ["MMFullyShard", "MMFullyShardedDataParallel"]
