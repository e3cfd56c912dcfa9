"""Names of mmengine.registry.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import dump as dump
    from eng.logging import print_log as print_log
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import Registry as Registry
    from eng.registry import count_registered_modules as count_registered_modules
    from eng.registry import init_default_scope as init_default_scope
    from eng.registry import traverse_registry_tree as traverse_registry_tree

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "dump",
        "eng.logging": "print_log",
        "eng.registry": "DefaultScope Registry count_registered_modules init_default_scope traverse_registry_tree",
    },
)
