"""Names of mmengine.model, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.model import BaseAveragedModel as BaseAveragedModel
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.model import BaseInit as BaseInit
    from eng.model import BaseModel as BaseModel
    from eng.model import BaseModule as BaseModule
    from eng.model import BaseTTAModel as BaseTTAModel
    from eng.model import Caffe2XavierInit as Caffe2XavierInit
    from eng.model import ConstantInit as ConstantInit
    from eng.model import ExponentialMovingAverage as ExponentialMovingAverage
    from eng.model import ImgDataPreprocessor as ImgDataPreprocessor
    from eng.model import KaimingInit as KaimingInit
    from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
    from eng.model import MMFullyShardedDataParallel as MMFullyShardedDataParallel
    from eng.model import MMSeparateDistributedDataParallel as MMSeparateDistributedDataParallel
    from eng.model import ModuleDict as ModuleDict
    from eng.model import ModuleList as ModuleList
    from eng.model import MomentumAnnealingEMA as MomentumAnnealingEMA
    from eng.model import NormalInit as NormalInit
    from eng.model import PretrainedInit as PretrainedInit
    from eng.model import Sequential as Sequential
    from eng.model import StochasticWeightAverage as StochasticWeightAverage
    from eng.model import TruncNormalInit as TruncNormalInit
    from eng.model import UniformInit as UniformInit
    from eng.model import XavierInit as XavierInit
    from eng.model import bias_init_with_prob as bias_init_with_prob
    from eng.model import caffe2_xavier_init as caffe2_xavier_init
    from eng.model import constant_init as constant_init
    from eng.model import convert_sync_batchnorm as convert_sync_batchnorm
    from eng.model import detect_anomalous_params as detect_anomalous_params
    from eng.model import initialize as initialize
    from eng.model import kaiming_init as kaiming_init
    from eng.model import merge_dict as merge_dict
    from eng.model import normal_init as normal_init
    from eng.model import revert_sync_batchnorm as revert_sync_batchnorm
    from eng.model import stack_batch as stack_batch
    from eng.model import trunc_normal_init as trunc_normal_init
    from eng.model import uniform_init as uniform_init
    from eng.model import update_init_info as update_init_info
    from eng.model import xavier_init as xavier_init
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION is_model_wrapper",
        "eng.model": "BaseAveragedModel BaseDataPreprocessor BaseInit BaseModel BaseModule BaseTTAModel Caffe2XavierInit ConstantInit ExponentialMovingAverage ImgDataPreprocessor KaimingInit MMDistributedDataParallel MMFullyShardedDataParallel MMSeparateDistributedDataParallel ModuleDict ModuleList MomentumAnnealingEMA NormalInit PretrainedInit Sequential StochasticWeightAverage TruncNormalInit UniformInit XavierInit bias_init_with_prob caffe2_xavier_init constant_init convert_sync_batchnorm detect_anomalous_params initialize kaiming_init merge_dict normal_init revert_sync_batchnorm stack_batch trunc_normal_init uniform_init update_init_info xavier_init",
        "eng.utils": "digit_version",
    },
    modules="averaged_model base_model base_module efficient_conv_bn_eval test_time_aug utils weight_init wrappers",
)
