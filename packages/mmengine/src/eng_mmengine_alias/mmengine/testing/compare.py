"""Names of mmengine.testing.compare, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils.testing import assert_allclose as assert_allclose
    from eng.dl_utils.testing import assert_attrs_equal as assert_attrs_equal
    from eng.dl_utils.testing import assert_dict_contains_subset as assert_dict_contains_subset
    from eng.dl_utils.testing import assert_dict_has_keys as assert_dict_has_keys
    from eng.dl_utils.testing import assert_is_norm_layer as assert_is_norm_layer
    from eng.dl_utils.testing import assert_keys_equal as assert_keys_equal
    from eng.dl_utils.testing import assert_params_all_zeros as assert_params_all_zeros
    from eng.dl_utils.testing import check_python_script as check_python_script
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION",
        "eng.dl_utils.testing": "assert_allclose assert_attrs_equal assert_dict_contains_subset assert_dict_has_keys assert_is_norm_layer assert_keys_equal assert_params_all_zeros check_python_script",
        "eng.utils": "digit_version",
    },
)
