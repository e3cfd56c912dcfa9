"""Names of mmengine.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import ManagerMeta as ManagerMeta
    from eng.utils import ManagerMixin as ManagerMixin
    from eng.utils import ProgressBar as ProgressBar
    from eng.utils import Timer as Timer
    from eng.utils import TimerError as TimerError
    from eng.utils import apply_to as apply_to
    from eng.utils import call_command as call_command
    from eng.utils import check_file_exist as check_file_exist
    from eng.utils import check_prerequisites as check_prerequisites
    from eng.utils import check_time as check_time
    from eng.utils import concat_list as concat_list
    from eng.utils import deprecated_api_warning as deprecated_api_warning
    from eng.utils import deprecated_function as deprecated_function
    from eng.utils import digit_version as digit_version
    from eng.utils import fopen as fopen
    from eng.utils import get_git_hash as get_git_hash
    from eng.utils import get_installed_path as get_installed_path
    from eng.utils import get_object_from_string as get_object_from_string
    from eng.utils import has_method as has_method
    from eng.utils import import_modules_from_strings as import_modules_from_strings
    from eng.utils import install_package as install_package
    from eng.utils import is_abs as is_abs
    from eng.utils import is_filepath as is_filepath
    from eng.utils import is_installed as is_installed
    from eng.utils import is_list_of as is_list_of
    from eng.utils import is_method_overridden as is_method_overridden
    from eng.utils import is_seq_of as is_seq_of
    from eng.utils import is_str as is_str
    from eng.utils import is_tuple_of as is_tuple_of
    from eng.utils import iter_cast as iter_cast
    from eng.utils import list_cast as list_cast
    from eng.utils import mkdir_or_exist as mkdir_or_exist
    from eng.utils import requires_executable as requires_executable
    from eng.utils import requires_package as requires_package
    from eng.utils import scandir as scandir
    from eng.utils import slice_list as slice_list
    from eng.utils import symlink as symlink
    from eng.utils import to_1tuple as to_1tuple
    from eng.utils import to_2tuple as to_2tuple
    from eng.utils import to_3tuple as to_3tuple
    from eng.utils import to_4tuple as to_4tuple
    from eng.utils import to_ntuple as to_ntuple
    from eng.utils import track_iter_progress as track_iter_progress
    from eng.utils import track_parallel_progress as track_parallel_progress
    from eng.utils import track_progress as track_progress
    from eng.utils import track_progress_rich as track_progress_rich
    from eng.utils import tuple_cast as tuple_cast

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "ManagerMeta ManagerMixin ProgressBar Timer TimerError apply_to call_command check_file_exist check_prerequisites check_time concat_list deprecated_api_warning deprecated_function digit_version fopen get_git_hash get_installed_path get_object_from_string has_method import_modules_from_strings install_package is_abs is_filepath is_installed is_list_of is_method_overridden is_seq_of is_str is_tuple_of iter_cast list_cast mkdir_or_exist requires_executable requires_package scandir slice_list symlink to_1tuple to_2tuple to_3tuple to_4tuple to_ntuple track_iter_progress track_parallel_progress track_progress track_progress_rich tuple_cast",
    },
    modules="dl_utils manager misc package_utils path progressbar progressbar_rich timer version_utils",
)
