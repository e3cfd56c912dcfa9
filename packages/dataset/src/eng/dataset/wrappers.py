"""Datasets made of other datasets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset as TorchConcatDataset

from eng.registry import DATASETS
from eng.structures import BaseDataElement
from eng.utils import override

from .full_init import force_full_init
from .randomness import random_numbers_of

__all__ = ["ClassBalancedDataset", "ConcatDataset", "RepeatDataset"]


class PlaceError(IndexError, ValueError):
    """There is no sample of an index."""


class MetainfoTypeError(TypeError, ValueError):
    """Metainfo of two datasets has values of different types."""


class _Wrapper:
    """What wrappers share: they load lazily, and pass on what is asked of a sample."""

    _fully_initialized = False

    def full_init(self) -> None:
        """Load the annotations of what is wrapped; does nothing if that has been done."""
        raise NotImplementedError

    def _origin(self, idx: int) -> tuple[Any, int]:
        """The dataset that a sample comes from, and its index there."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The annotation of a sample.

        Args:
            idx: Its index in this dataset.

        Returns:
            The annotation; its ``sample_idx`` is the index in the dataset it comes from.

        Raises:
            IndexError: If there is no such sample.
        """
        dataset, own = self._origin(idx)
        return dataset.get_data_info(own)

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """The categories in a sample.

        Args:
            idx: Its index in this dataset.

        Returns:
            What ``get_cat_ids`` of the dataset says that it comes from.

        Raises:
            IndexError: If there is no such sample.
        """
        dataset, own = self._origin(idx)
        return dataset.get_cat_ids(own)

    @force_full_init
    def __getitem__(self, idx: int) -> Any:
        with random_numbers_of(idx):
            dataset, own = self._origin(idx)
            return dataset[own]

    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Not supported.

        Args:
            indices: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"of {type(self).__name__} it is ambiguous what a subset would be: take one of the "
            "dataset in it, with get_subset or indices"
        )

    def get_subset(self, indices: int | Sequence[int]) -> Any:
        """Not supported.

        Args:
            indices: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        self.get_subset_(indices)

    def _place(self, idx: int) -> int:
        """An index from 0."""
        number, length = index(idx), len(self)
        if not -length <= number < length:
            raise PlaceError(
                f"index {idx} is out of range: {type(self).__name__} has {length} samples"
            )
        return number % length


@DATASETS.register_module()
class ConcatDataset(_Wrapper, TorchConcatDataset):
    """Several datasets one after another.

    Args:
        datasets: The datasets or their configs. Their metainfo must be the same.
        lazy_init: Whether annotations are loaded when first needed rather than now. Defaults to
            False.
        ignore_keys: A key, or keys, in which the metainfo may differ; that of the first dataset
            counts. Defaults to None.

    Raises:
        TypeError: If something is neither a dataset nor a config, ``ignore_keys`` is neither text
            nor a list of it, or values of the metainfo have different types.
        ValueError: If there are no datasets or their metainfo differs, once that is loaded.
    """

    def __init__(
        self,
        datasets: Sequence[Any],
        lazy_init: bool = False,
        ignore_keys: str | Sequence[str] | None = None,
    ) -> None:
        self.datasets: list[Any] = [
            _built(each, f"datasets[{i}]") for i, each in enumerate(datasets)
        ]
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset")
        self.ignore_keys = _listed_keys(ignore_keys)
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """A copy of the metainfo of the first dataset."""
        return self.datasets[0].metainfo

    @override
    def full_init(self) -> None:
        """Load the annotations of each dataset; does nothing if that has been done.

        Raises:
            ValueError: If their metainfo differs; names the dataset and the keys. If values have
                different types, it is a ``TypeError`` as well.
        """
        if self._fully_initialized:
            return
        for dataset in self.datasets:
            dataset.full_init()
        first = self._compared(self.datasets[0])
        for number, dataset in enumerate(self.datasets[1:], 1):
            _check_equal(first, self._compared(dataset), number)
        TorchConcatDataset.__init__(self, self.datasets)
        self._fully_initialized = True

    def _compared(self, dataset: Any) -> dict[str, Any]:
        return {k: v for k, v in dataset.metainfo.items() if k not in self.ignore_keys}

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[int, int]:
        """The number of the dataset that a sample comes from, and its index there."""
        place = self._place(idx)
        number = int(np.searchsorted(self.cumulative_sizes, place, side="right"))
        before = self.cumulative_sizes[number - 1] if number else 0
        return number, place - before

    @override
    def _origin(self, idx: int) -> tuple[Any, int]:
        number, own = self._get_ori_dataset_idx(idx)
        return self.datasets[number], own

    @force_full_init
    @override
    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


@DATASETS.register_module()
class RepeatDataset(_Wrapper):
    """A dataset several times over, so that an epoch is longer.

    Args:
        dataset: The dataset or its config.
        times: How many times.
        lazy_init: Whether annotations are loaded when first needed rather than now. Defaults to
            False.

    Raises:
        TypeError: If ``dataset`` is neither a dataset nor a config.
        ValueError: If ``times`` is no whole number of at least 1.
    """

    def __init__(self, dataset: Any, times: int, lazy_init: bool = False) -> None:
        if int(times) != times or times < 1:
            raise ValueError(f"times must be a whole number of at least 1, not {times!r}")
        self.dataset = _built(dataset, "dataset")
        self.times = int(times)
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """A copy of the metainfo of the dataset."""
        return self.dataset.metainfo

    @override
    def full_init(self) -> None:
        """Load the annotations of the dataset; does nothing if that has been done."""
        self.dataset.full_init()
        self._fully_initialized = True

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> int:
        """The index of a sample in the dataset."""
        return self._place(idx) % len(self.dataset)

    @override
    def _origin(self, idx: int) -> tuple[Any, int]:
        return self.dataset, self._get_ori_dataset_idx(idx)

    @force_full_init
    @override
    def __len__(self) -> int:
        return self.times * len(self.dataset)


@DATASETS.register_module()
class ClassBalancedDataset(_Wrapper):
    """A dataset in which samples of rare categories come several times an epoch.

    A category in a fraction ``f`` of the samples has the repeat factor
    ``max(1, sqrt(oversample_thr / f))``; a sample comes as many times as the highest factor of its
    categories says, rounded up, and once if it has none. See Gupta, Dollár and Girshick, "LVIS: A
    Dataset for Large Vocabulary Instance Segmentation", 2019, section on repeat factor sampling.

    Args:
        dataset: The dataset or its config; it must have ``get_cat_ids``.
        oversample_thr: Fraction of samples in ``[0, 1]``; a category in fewer of them is repeated.
        lazy_init: Whether annotations are loaded when first needed rather than now. Defaults to
            False.

    Attributes:
        repeat_indices: By the index here, that in the dataset; shape ``(len,)``.

    Raises:
        TypeError: If ``dataset`` is neither a dataset nor a config.
        ValueError: If the threshold is out of range.
    """

    def __init__(self, dataset: Any, oversample_thr: float, lazy_init: bool = False) -> None:
        if not 0 <= oversample_thr <= 1:
            raise ValueError(
                f"oversample_thr is a fraction of samples, in [0, 1], not {oversample_thr}"
            )
        self.dataset = _built(dataset, "dataset")
        self.oversample_thr = oversample_thr
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """A copy of the metainfo of the dataset."""
        return self.dataset.metainfo

    @override
    def full_init(self) -> None:
        """Load the annotations of the dataset and count its categories, once."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        own = self._get_repeat_factors(self.dataset, self.oversample_thr)
        factors = [math.ceil(factor) for factor in own]
        self.repeat_indices = np.repeat(np.arange(len(factors)), factors)
        self._fully_initialized = True

    def _get_repeat_factors(self, dataset: Any, repeat_thr: float) -> list[float]:
        """The factor of each sample of a dataset, not rounded; 1 without categories."""
        length = len(dataset)
        categories = [frozenset(dataset.get_cat_ids(i)) for i in range(length)]
        counts = Counter(category for each in categories for category in each)
        by_category = {
            category: max(1.0, math.sqrt(repeat_thr * length / count))
            for category, count in counts.items()
        }
        return [max((by_category[c] for c in each), default=1.0) for each in categories]

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> int:
        """The index of a sample in the dataset."""
        return int(self.repeat_indices[self._place(idx)])

    @override
    def _origin(self, idx: int) -> tuple[Any, int]:
        return self.dataset, self._get_ori_dataset_idx(idx)

    @force_full_init
    @override
    def __len__(self) -> int:
        return len(self.repeat_indices)


def _listed_keys(keys: Any) -> tuple[str, ...]:
    listed = [] if keys is None else [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, (list, tuple, set)) or not all(isinstance(k, str) for k in listed):
        raise TypeError(f"ignore_keys must be a key or a list of keys, not {keys!r}")
    return tuple(listed)


def _check_equal(first: Mapping[str, Any], other: Mapping[str, Any], number: int) -> None:
    """Hold metainfo against that of the first dataset."""
    shared = first.keys() & other.keys()
    # As values of data elements, since they may be arrays.
    differ = (first.keys() ^ other.keys()) | {
        key
        for key in shared
        if BaseDataElement(value=first[key]) != BaseDataElement(value=other[key])
    }
    if not differ:
        return
    kinds = [key for key in differ & shared if type(first[key]) is not type(other[key])]
    raise (MetainfoTypeError if kinds else ValueError)(
        "datasets with different metainfo cannot be concatenated: "
        + "; ".join(
            f"{key!r} is {_shown(first, key)} in datasets[0] but {_shown(other, key)} in "
            f"datasets[{number}]"
            for key in sorted(differ, key=str)
        )
        + ". Where that does not matter, name the keys in ignore_keys"
    )


def _shown(metainfo: Mapping[str, Any], key: str) -> str:
    return repr(metainfo[key]) if key in metainfo else "missing"


def _built(dataset: Any, name: str) -> Any:
    built = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
    missing = [a for a in ("full_init", "metainfo", "get_data_info") if not hasattr(built, a)]
    if missing:
        raise TypeError(
            f"{name} must be a BaseDataset, a wrapper or the config of one; "
            f"{type(built).__name__} has no {', '.join(missing)}"
        )
    return built
