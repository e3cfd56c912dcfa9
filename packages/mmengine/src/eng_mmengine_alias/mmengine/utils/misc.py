"""Names of mmengine.utils.misc, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import apply_to as apply_to
    from eng.utils import check_prerequisites as check_prerequisites
    from eng.utils import concat_list as concat_list
    from eng.utils import deprecated_api_warning as deprecated_api_warning
    from eng.utils import deprecated_function as deprecated_function
    from eng.utils import get_object_from_string as get_object_from_string
    from eng.utils import has_method as has_method
    from eng.utils import import_modules_from_strings as import_modules_from_strings
    from eng.utils import is_list_of as is_list_of
    from eng.utils import is_method_overridden as is_method_overridden
    from eng.utils import is_seq_of as is_seq_of
    from eng.utils import is_str as is_str
    from eng.utils import is_tuple_of as is_tuple_of
    from eng.utils import iter_cast as iter_cast
    from eng.utils import list_cast as list_cast
    from eng.utils import requires_executable as requires_executable
    from eng.utils import requires_package as requires_package
    from eng.utils import slice_list as slice_list
    from eng.utils import to_1tuple as to_1tuple
    from eng.utils import to_2tuple as to_2tuple
    from eng.utils import to_3tuple as to_3tuple
    from eng.utils import to_4tuple as to_4tuple
    from eng.utils import to_ntuple as to_ntuple
    from eng.utils import tuple_cast as tuple_cast

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "apply_to check_prerequisites concat_list deprecated_api_warning deprecated_function get_object_from_string has_method import_modules_from_strings is_list_of is_method_overridden is_seq_of is_str is_tuple_of iter_cast list_cast requires_executable requires_package slice_list to_1tuple to_2tuple to_3tuple to_4tuple to_ntuple tuple_cast",
    },
)
