"""Base classes of models and their data preprocessors."""

from .base_model import BaseModel
from .data_preprocessor import BaseDataPreprocessor

__all__ = ["BaseDataPreprocessor", "BaseModel"]
