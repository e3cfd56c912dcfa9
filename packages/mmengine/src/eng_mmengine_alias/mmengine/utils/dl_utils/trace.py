"""Names of mmengine.utils.dl_utils.trace, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import is_jit_tracing as is_jit_tracing
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "is_jit_tracing",
        "eng.utils": "digit_version",
    },
)
