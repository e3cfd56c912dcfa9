"""Base modules, preprocessing, averaging, initialisation and parallel wrappers."""

from .averaged_model import (
    BaseAveragedModel,
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from .base_model import BaseDataPreprocessor, BaseModel
from .base_module import BaseModule, ModuleDict, ModuleList, Sequential
from .merge_dict import merge_dict
from .weight_init import (
    BaseInit,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    NormalInit,
    PretrainedInit,
    TruncNormalInit,
    UniformInit,
    XavierInit,
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    initialize,
    kaiming_init,
    normal_init,
    trunc_normal_,
    trunc_normal_init,
    uniform_init,
    update_init_info,
    xavier_init,
)
from .wrappers import MMDistributedDataParallel, detect_anomalous_params, is_model_wrapper

__all__ = [
    "BaseAveragedModel",
    "BaseDataPreprocessor",
    "BaseModel",
    "BaseModule",
    "ExponentialMovingAverage",
    "MMDistributedDataParallel",
    "ModuleDict",
    "ModuleList",
    "MomentumAnnealingEMA",
    "Sequential",
    "StochasticWeightAverage",
    "detect_anomalous_params",
    "initialize",
    "is_model_wrapper",
    "merge_dict",
]
