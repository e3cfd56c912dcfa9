"""Names of mmengine.testing._internal.distributed, from eng.

Written by scripts/update_mmengine.py.
"""

from eng.mmengine.lazy import offer

__all__, __getattr__, __dir__ = offer(
    __name__,
    missing={
        "MultiProcessTestCase": "use eng.dist.testing.run_in_processes",
        "TEST_SKIPS": "",
        "TestSkip": "",
    },
)
