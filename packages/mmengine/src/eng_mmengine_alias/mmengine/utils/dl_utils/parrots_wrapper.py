"""Names of mmengine.utils.dl_utils.parrots_wrapper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils.parrots_wrapper import DataLoader as DataLoader
    from eng.dl_utils.parrots_wrapper import PoolDataLoader as PoolDataLoader
    from eng.dl_utils.parrots_wrapper import SyncBatchNorm as SyncBatchNorm
    from eng.dl_utils.parrots_wrapper import SyncBatchNorm_ as SyncBatchNorm_
    from eng.dl_utils.parrots_wrapper import _AdaptiveAvgPoolNd as _AdaptiveAvgPoolNd
    from eng.dl_utils.parrots_wrapper import _AdaptiveMaxPoolNd as _AdaptiveMaxPoolNd
    from eng.dl_utils.parrots_wrapper import _AvgPoolNd as _AvgPoolNd
    from eng.dl_utils.parrots_wrapper import _BatchNorm as _BatchNorm
    from eng.dl_utils.parrots_wrapper import _ConvNd as _ConvNd
    from eng.dl_utils.parrots_wrapper import _ConvTransposeMixin as _ConvTransposeMixin
    from eng.dl_utils.parrots_wrapper import _InstanceNorm as _InstanceNorm
    from eng.dl_utils.parrots_wrapper import _MaxPoolNd as _MaxPoolNd
    from eng.dl_utils.parrots_wrapper import _get_conv as _get_conv
    from eng.dl_utils.parrots_wrapper import _get_cuda_home as _get_cuda_home
    from eng.dl_utils.parrots_wrapper import _get_dataloader as _get_dataloader
    from eng.dl_utils.parrots_wrapper import _get_extension as _get_extension
    from eng.dl_utils.parrots_wrapper import _get_norm as _get_norm
    from eng.dl_utils.parrots_wrapper import _get_pool as _get_pool
    from eng.dl_utils.parrots_wrapper import get_build_config as get_build_config
    from eng.dl_utils.parrots_wrapper import is_rocm_pytorch as is_rocm_pytorch

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION",
        "eng.dl_utils.parrots_wrapper": "DataLoader PoolDataLoader SyncBatchNorm SyncBatchNorm_ _AdaptiveAvgPoolNd _AdaptiveMaxPoolNd _AvgPoolNd _BatchNorm _ConvNd _ConvTransposeMixin _InstanceNorm _MaxPoolNd _get_conv _get_cuda_home _get_dataloader _get_extension _get_norm _get_pool get_build_config is_rocm_pytorch",
    },
)
