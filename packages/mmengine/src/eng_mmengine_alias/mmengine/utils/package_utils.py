"""Names of mmengine.utils.package_utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import call_command as call_command
    from eng.utils import get_installed_path as get_installed_path
    from eng.utils import install_package as install_package
    from eng.utils import is_installed as is_installed
    from eng.utils import package2module as package2module

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "call_command get_installed_path install_package is_installed package2module",
    },
)
