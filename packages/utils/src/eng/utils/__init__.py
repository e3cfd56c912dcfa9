"""Named instances, paths, progress bars, timers, type checks, versions and lazy names."""

from typing import TYPE_CHECKING

from .lazy import lazy_modules, lazy_names
from .manager import ManagerMeta, ManagerMixin

if TYPE_CHECKING:
    from .annotations import Mismatch, find_mismatches, is_plain_annotation, read_hints
    from .deprecation import deprecated_api_warning, deprecated_function
    from .errors import (
        ArgumentIndexError,
        ArgumentKeyError,
        ArgumentTypeError,
        ArgumentValueError,
        InvalidSettingError,
        UserError,
    )
    from .introspection import has_method, is_method_overridden
    from .modules import add_module_folders, import_modules_from_strings, importing
    from .nested import apply_to
    from .objects import get_object_from_string
    from .package import (
        MODULE2PACKAGE,
        PKG2PROJECT,
        call_command,
        get_installed_path,
        install_package,
        is_installed,
        package2module,
    )
    from .path import (
        check_file_exist,
        check_inner_path,
        find_vcs_root,
        fopen,
        is_abs,
        is_filepath,
        mkdir_or_exist,
        scandir,
        symlink,
    )
    from .prerequisites import check_prerequisites, requires_executable, requires_package
    from .progress import (
        ProgressBar,
        init_pool,
        track_iter_progress,
        track_parallel_progress,
        track_progress,
    )
    from .rich_progress import track_progress_rich
    from .sequence import (
        concat_list,
        is_list_of,
        is_seq_of,
        is_str,
        is_tuple_of,
        iter_cast,
        list_cast,
        slice_list,
        to_1tuple,
        to_2tuple,
        to_3tuple,
        to_4tuple,
        to_ntuple,
        tuple_cast,
    )
    from .timer import Timer, TimerError, check_time
    from .types import DataBatch, DataSample, StateDict, override
    from .version import digit_version, get_git_hash

__version__: str  # see _version.py

__all__ = [
    "MODULE2PACKAGE",
    "PKG2PROJECT",
    "ArgumentIndexError",
    "ArgumentKeyError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "DataBatch",
    "DataSample",
    "InvalidSettingError",
    "ManagerMeta",
    "ManagerMixin",
    "Mismatch",
    "ProgressBar",
    "StateDict",
    "Timer",
    "TimerError",
    "UserError",
    "add_module_folders",
    "apply_to",
    "call_command",
    "check_file_exist",
    "check_inner_path",
    "check_prerequisites",
    "check_time",
    "concat_list",
    "deprecated_api_warning",
    "deprecated_function",
    "digit_version",
    "find_mismatches",
    "find_vcs_root",
    "fopen",
    "get_git_hash",
    "get_installed_path",
    "get_object_from_string",
    "has_method",
    "import_modules_from_strings",
    "importing",
    "init_pool",
    "install_package",
    "is_abs",
    "is_filepath",
    "is_installed",
    "is_list_of",
    "is_method_overridden",
    "is_plain_annotation",
    "is_seq_of",
    "is_str",
    "is_tuple_of",
    "iter_cast",
    "lazy_modules",
    "lazy_names",
    "list_cast",
    "mkdir_or_exist",
    "override",
    "package2module",
    "read_hints",
    "requires_executable",
    "requires_package",
    "scandir",
    "slice_list",
    "symlink",
    "to_1tuple",
    "to_2tuple",
    "to_3tuple",
    "to_4tuple",
    "to_ntuple",
    "track_iter_progress",
    "track_parallel_progress",
    "track_progress",
    "track_progress_rich",
    "tuple_cast",
]

# Modules are imported when one of their names is first asked for: a package that only needs the
# managers does not pay for the others.
_NAMES = {
    ".annotations": ("Mismatch", "find_mismatches", "is_plain_annotation", "read_hints"),
    ".deprecation": ("deprecated_api_warning", "deprecated_function"),
    ".errors": (
        "ArgumentIndexError",
        "ArgumentKeyError",
        "ArgumentTypeError",
        "ArgumentValueError",
        "InvalidSettingError",
        "UserError",
    ),
    ".introspection": ("has_method", "is_method_overridden"),
    ".modules": ("add_module_folders", "import_modules_from_strings", "importing"),
    ".nested": ("apply_to",),
    ".objects": ("get_object_from_string",),
    ".package": (
        "MODULE2PACKAGE",
        "PKG2PROJECT",
        "call_command",
        "get_installed_path",
        "install_package",
        "is_installed",
        "package2module",
    ),
    ".path": (
        "check_file_exist",
        "check_inner_path",
        "find_vcs_root",
        "fopen",
        "is_abs",
        "is_filepath",
        "mkdir_or_exist",
        "scandir",
        "symlink",
    ),
    ".prerequisites": ("check_prerequisites", "requires_executable", "requires_package"),
    ".progress": (
        "ProgressBar",
        "init_pool",
        "track_iter_progress",
        "track_parallel_progress",
        "track_progress",
    ),
    ".rich_progress": ("track_progress_rich",),
    ".sequence": (
        "concat_list",
        "is_list_of",
        "is_seq_of",
        "is_str",
        "is_tuple_of",
        "iter_cast",
        "list_cast",
        "slice_list",
        "to_1tuple",
        "to_2tuple",
        "to_3tuple",
        "to_4tuple",
        "to_ntuple",
        "tuple_cast",
    ),
    ".timer": ("Timer", "TimerError", "check_time"),
    ".types": ("DataBatch", "DataSample", "StateDict", "override"),
    ".version": ("digit_version", "get_git_hash"),
}

__getattr__, __dir__ = lazy_modules(__name__, _NAMES)
