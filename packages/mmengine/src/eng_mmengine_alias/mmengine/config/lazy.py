"""Names of mmengine.config.lazy, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import LazyAttr as LazyAttr
    from eng.config import LazyObject as LazyObject
    from eng.utils import is_seq_of as is_seq_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "LazyAttr LazyObject",
        "eng.utils": "is_seq_of",
    },
)
