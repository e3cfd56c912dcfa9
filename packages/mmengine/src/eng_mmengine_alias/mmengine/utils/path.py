"""Names of mmengine.utils.path, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import check_file_exist as check_file_exist
    from eng.utils import find_vcs_root as find_vcs_root
    from eng.utils import fopen as fopen
    from eng.utils import is_abs as is_abs
    from eng.utils import is_filepath as is_filepath
    from eng.utils import is_str as is_str
    from eng.utils import mkdir_or_exist as mkdir_or_exist
    from eng.utils import scandir as scandir
    from eng.utils import symlink as symlink

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "check_file_exist find_vcs_root fopen is_abs is_filepath is_str mkdir_or_exist scandir symlink",
    },
)
