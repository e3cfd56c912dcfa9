"""Names of mmengine.config.config, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.config import ConfigParsingError as ConfigParsingError
    from eng.config import DictAction as DictAction
    from eng.config import LazyAttr as LazyAttr
    from eng.config import LazyObject as LazyObject
    from eng.config import read_base as read_base
    from eng.config.keys import BASE as BASE_KEY
    from eng.config.keys import DELETE as DELETE_KEY
    from eng.config.keys import DEPRECATION as DEPRECATION_KEY
    from eng.config.keys import RESERVED as RESERVED_KEYS
    from eng.config.options import add_args as add_args
    from eng.fileio import dump as dump
    from eng.fileio import load as load
    from eng.logging import print_log as print_log
    from eng.utils import check_file_exist as check_file_exist
    from eng.utils import digit_version as digit_version
    from eng.utils import get_installed_path as get_installed_path
    from eng.utils import import_modules_from_strings as import_modules_from_strings
    from eng.utils import is_installed as is_installed

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict ConfigParsingError DictAction LazyAttr LazyObject read_base",
        "eng.config.keys": "BASE_KEY=BASE DELETE_KEY=DELETE DEPRECATION_KEY=DEPRECATION RESERVED_KEYS=RESERVED",
        "eng.config.options": "add_args",
        "eng.fileio": "dump load",
        "eng.logging": "print_log",
        "eng.utils": "check_file_exist digit_version get_installed_path import_modules_from_strings is_installed",
    },
)
