"""Names of mmengine.infer.infer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.dataset import pseudo_collate as pseudo_collate
    from eng.device import get_device as get_device
    from eng.fileio import get_file_backend as get_file_backend
    from eng.fileio import isdir as isdir
    from eng.fileio import join_path as join_path
    from eng.fileio import list_dir_or_file as list_dir_or_file
    from eng.fileio import load as load
    from eng.infer import BaseInferencer as BaseInferencer
    from eng.infer import InferencerMeta as InferencerMeta
    from eng.infer.infer import ConfigType as ConfigType
    from eng.infer.infer import ImgType as ImgType
    from eng.infer.infer import InputType as InputType
    from eng.infer.infer import InputsType as InputsType
    from eng.infer.infer import ModelType as ModelType
    from eng.infer.infer import ResType as ResType
    from eng.logging import print_log as print_log
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import MODELS as MODELS
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.structures import InstanceData as InstanceData
    from eng.utils import MODULE2PACKAGE as MODULE2PACKAGE
    from eng.vis import Visualizer as Visualizer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.dataset": "pseudo_collate",
        "eng.device": "get_device",
        "eng.fileio": "get_file_backend isdir join_path list_dir_or_file load",
        "eng.infer": "BaseInferencer InferencerMeta",
        "eng.infer.infer": "ConfigType ImgType InputType InputsType ModelType ResType",
        "eng.logging": "print_log",
        "eng.registry": "DefaultScope FUNCTIONS MODELS VISUALIZERS",
        "eng.structures": "InstanceData",
        "eng.utils": "MODULE2PACKAGE",
        "eng.vis": "Visualizer",
    },
)
