"""Base classes of models and their data preprocessors."""

from .base_model import BaseModel
from .data_preprocessor import BaseDataPreprocessor
from .img_data_preprocessor import ImgDataPreprocessor
from .tta_model import BaseTTAModel

__all__ = ["BaseDataPreprocessor", "BaseModel", "BaseTTAModel", "ImgDataPreprocessor"]
