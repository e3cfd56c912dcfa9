"""Names of mmengine.infer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.infer import BaseInferencer as BaseInferencer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.infer": "BaseInferencer",
    },
    modules="infer",
)
