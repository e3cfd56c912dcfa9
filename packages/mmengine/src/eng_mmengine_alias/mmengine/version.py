"""Names of mmengine.version, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.mmengine.original_version import __version__ as __version__
    from eng.mmengine.original_version import parse_version_info as parse_version_info
    from eng.mmengine.original_version import version_info as version_info

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.mmengine.original_version": "__version__ parse_version_info version_info",
    },
)
