"""Types of annotations, metainfo, transforms and wrapped datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from eng.utils import DataSample

__all__ = ["AnnotatedDataset", "DataInfo", "Metainfo", "Transform"]

#: The annotation of a sample, by key.
DataInfo: TypeAlias = "dict[str, Any]"

#: Meta information of a dataset, such as its classes, by key.
Metainfo: TypeAlias = "dict[str, Any]"

#: A step of a pipeline: takes the data of a sample and returns them changed, or None.
Transform: TypeAlias = Callable[[DataSample], DataSample]


class AnnotatedDataset(Protocol):
    """A dataset that can be wrapped: a ``BaseDataset``, or a wrapper of one."""

    @property
    def metainfo(self) -> Metainfo:
        """A copy of the metainfo."""

    def full_init(self) -> None:
        """Load the annotations unless they are loaded."""

    def get_data_info(self, idx: int) -> DataInfo:
        """Return the annotation of a sample."""

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the categories in a sample."""

    def __getitem__(self, idx: int) -> DataSample:
        """Return a sample."""

    def __len__(self) -> int:
        """Return the number of samples."""
