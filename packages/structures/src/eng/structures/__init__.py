"""Data elements: annotations and predictions with what is known of their sample."""

from .data_element import BaseDataElement

__all__ = ["BaseDataElement"]
