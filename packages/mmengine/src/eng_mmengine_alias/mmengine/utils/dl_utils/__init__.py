"""Names of mmengine.utils.dl_utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import TimeCounter as TimeCounter
    from eng.dl_utils import collect_env as collect_env
    from eng.dl_utils import has_batch_norm as has_batch_norm
    from eng.dl_utils import is_jit_tracing as is_jit_tracing
    from eng.dl_utils import is_norm as is_norm
    from eng.dl_utils import load_url as load_url
    from eng.dl_utils import mmcv_full_available as mmcv_full_available
    from eng.dl_utils import set_multi_processing as set_multi_processing
    from eng.dl_utils import tensor2imgs as tensor2imgs
    from eng.dl_utils import torch_meshgrid as torch_meshgrid

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION TimeCounter collect_env has_batch_norm is_jit_tracing is_norm load_url mmcv_full_available set_multi_processing tensor2imgs torch_meshgrid",
    },
    modules="collect_env hub misc parrots_wrapper setup_env time_counter torch_ops trace visualize",
)
