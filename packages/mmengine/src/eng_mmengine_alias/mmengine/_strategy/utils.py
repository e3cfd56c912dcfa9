"""Names of mmengine._strategy.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from eng.mmengine.lazy import offer

__all__, __getattr__, __dir__ = offer(
    __name__,
    missing={
        "MetaTensorContext": "use FSDPStrategy(skip_init_weights=True)",
    },
)
