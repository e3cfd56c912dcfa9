"""Names of mmengine.registry.registry, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import Registry as Registry
    from eng.utils import MODULE2PACKAGE as MODULE2PACKAGE
    from eng.utils import get_object_from_string as get_object_from_string
    from eng.utils import is_seq_of as is_seq_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.registry": "DefaultScope Registry",
        "eng.utils": "MODULE2PACKAGE get_object_from_string is_seq_of",
    },
)
