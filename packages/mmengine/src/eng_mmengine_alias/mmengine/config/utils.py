"""Names of mmengine.config.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import ConfigParsingError as ConfigParsingError
    from eng.fileio import load as load
    from eng.utils import MODULE2PACKAGE as MODULE2PACKAGE
    from eng.utils import MODULE2PACKAGE as PKG2PROJECT
    from eng.utils import check_file_exist as check_file_exist

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "ConfigParsingError",
        "eng.fileio": "load",
        "eng.utils": "MODULE2PACKAGE PKG2PROJECT=MODULE2PACKAGE check_file_exist",
    },
    missing={
        "ImportTransformer": "",
        "PYTHON_ROOT_DIR": "",
        "RemoveAssignFromAST": "",
        "SYSTEM_PYTHON_PREFIX": "",
    },
)
