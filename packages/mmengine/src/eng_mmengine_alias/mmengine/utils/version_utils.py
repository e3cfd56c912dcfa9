"""Names of mmengine.utils.version_utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import digit_version as digit_version
    from eng.utils import get_git_hash as get_git_hash

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "digit_version get_git_hash",
    },
)
