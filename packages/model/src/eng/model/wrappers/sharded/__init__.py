"""Model wrappers that shard parameters over processes.

They are imported lazily, by name in code or in a config, since the imports of torch for them take
longer than everything else.
"""

from .fully_shard import MMFullyShard
from .fully_sharded_distributed import MMFullyShardedDataParallel

__all__ = ["MMFullyShard", "MMFullyShardedDataParallel"]
