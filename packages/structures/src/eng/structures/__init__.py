"""Data elements: annotations and predictions of a sample, with its metainfo."""

from typing import TYPE_CHECKING

from .data_element import BaseDataElement
from .instance_data import InstanceData
from .label_data import LabelData
from .pixel_data import PixelData
from .plain import PlainData, to_plain

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = ["BaseDataElement", "InstanceData", "LabelData", "PixelData", "PlainData", "to_plain"]
