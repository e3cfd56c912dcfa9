"""Names of mmengine.model.weight_init, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import print_log as print_log
    from eng.model import BaseInit as BaseInit
    from eng.model import Caffe2XavierInit as Caffe2XavierInit
    from eng.model import ConstantInit as ConstantInit
    from eng.model import KaimingInit as KaimingInit
    from eng.model import NormalInit as NormalInit
    from eng.model import PretrainedInit as PretrainedInit
    from eng.model import TruncNormalInit as TruncNormalInit
    from eng.model import UniformInit as UniformInit
    from eng.model import XavierInit as XavierInit
    from eng.model import bias_init_with_prob as bias_init_with_prob
    from eng.model import caffe2_xavier_init as caffe2_xavier_init
    from eng.model import constant_init as constant_init
    from eng.model import initialize as initialize
    from eng.model import kaiming_init as kaiming_init
    from eng.model import normal_init as normal_init
    from eng.model import trunc_normal_ as trunc_normal_
    from eng.model import trunc_normal_init as trunc_normal_init
    from eng.model import uniform_init as uniform_init
    from eng.model import update_init_info as update_init_info
    from eng.model import xavier_init as xavier_init
    from eng.registry import WEIGHT_INITIALIZERS as WEIGHT_INITIALIZERS
    from eng.registry import build_from_cfg as build_from_cfg

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "print_log",
        "eng.model": "BaseInit Caffe2XavierInit ConstantInit KaimingInit NormalInit PretrainedInit TruncNormalInit UniformInit XavierInit bias_init_with_prob caffe2_xavier_init constant_init initialize kaiming_init normal_init trunc_normal_ trunc_normal_init uniform_init update_init_info xavier_init",
        "eng.registry": "WEIGHT_INITIALIZERS build_from_cfg",
    },
)
