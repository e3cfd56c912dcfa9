"""Base modules, preprocessing, averaging, initialisation and parallel wrappers."""

from typing import TYPE_CHECKING

from eng.dl_utils import is_model_wrapper
from eng.utils import lazy_modules

from .averaged_model import (
    BaseAveragedModel,
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)
from .base_model import BaseDataPreprocessor, BaseModel, BaseTTAModel, ImgDataPreprocessor
from .base_module import BaseModule, ModuleDict, ModuleList, Sequential
from .initial_values import share_initial_values
from .merge_dict import merge_dict
from .model_with_loss import ModelWithLoss
from .stack_batch import stack_batch
from .sync_batchnorm import convert_sync_batchnorm, revert_sync_batchnorm
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
from .wrappers import (
    MMDistributedDataParallel,
    MMSeparateDistributedDataParallel,
    detect_anomalous_params,
)

if TYPE_CHECKING:
    from .deferred import DeferralError, DeferredValues, Recording
    from .efficient_conv_bn_eval import (
        efficient_conv_bn_eval_control,
        efficient_conv_bn_eval_forward,
        efficient_conv_bn_eval_graph_transform,
        turn_on_efficient_conv_bn_eval,
        turn_on_efficient_conv_bn_eval_for_single_model,
    )
    from .parallel import (
        ParallelSettings,
        ParallelSettingsError,
        UnknownPartError,
        check_parallel_parts,
        compile_parts,
        find_parts,
        parallelize,
        recompute_parts,
        wrap_for_processes,
        wrap_forward,
    )
    from .wrappers.sharded import MMFullyShard, MMFullyShardedDataParallel

__version__: str  # see _version.py

__all__ = [
    "BaseAveragedModel",
    "BaseDataPreprocessor",
    "BaseInit",
    "BaseModel",
    "BaseModule",
    "BaseTTAModel",
    "Caffe2XavierInit",
    "ConstantInit",
    "DeferralError",
    "DeferredValues",
    "ExponentialMovingAverage",
    "ImgDataPreprocessor",
    "KaimingInit",
    "MMDistributedDataParallel",
    "MMFullyShard",
    "MMFullyShardedDataParallel",
    "MMSeparateDistributedDataParallel",
    "ModelWithLoss",
    "ModuleDict",
    "ModuleList",
    "MomentumAnnealingEMA",
    "NormalInit",
    "ParallelSettings",
    "ParallelSettingsError",
    "PretrainedInit",
    "Recording",
    "Sequential",
    "StochasticWeightAverage",
    "TruncNormalInit",
    "UniformInit",
    "UnknownPartError",
    "XavierInit",
    "bias_init_with_prob",
    "caffe2_xavier_init",
    "check_parallel_parts",
    "compile_parts",
    "constant_init",
    "convert_sync_batchnorm",
    "detect_anomalous_params",
    "efficient_conv_bn_eval_control",
    "efficient_conv_bn_eval_forward",
    "efficient_conv_bn_eval_graph_transform",
    "find_parts",
    "initialize",
    "is_model_wrapper",
    "kaiming_init",
    "merge_dict",
    "normal_init",
    "parallelize",
    "recompute_parts",
    "revert_sync_batchnorm",
    "share_initial_values",
    "stack_batch",
    "trunc_normal_",
    "trunc_normal_init",
    "turn_on_efficient_conv_bn_eval",
    "turn_on_efficient_conv_bn_eval_for_single_model",
    "uniform_init",
    "update_init_info",
    "wrap_for_processes",
    "wrap_forward",
    "xavier_init",
]

# The imports of torch for these take longer than everything else.
__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".deferred": ("DeferralError", "DeferredValues", "Recording"),
        ".efficient_conv_bn_eval": (
            "efficient_conv_bn_eval_control",
            "efficient_conv_bn_eval_forward",
            "efficient_conv_bn_eval_graph_transform",
            "turn_on_efficient_conv_bn_eval",
            "turn_on_efficient_conv_bn_eval_for_single_model",
        ),
        ".parallel": (
            "ParallelSettings",
            "ParallelSettingsError",
            "UnknownPartError",
            "check_parallel_parts",
            "compile_parts",
            "find_parts",
            "parallelize",
            "recompute_parts",
            "wrap_for_processes",
            "wrap_forward",
        ),
        ".wrappers.sharded": ("MMFullyShard", "MMFullyShardedDataParallel"),
    },
)
