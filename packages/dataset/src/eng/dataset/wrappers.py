"""Dataset wrappers: concatenation, repetition and class balancing."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from operator import index
from typing import Any, NoReturn

import numpy as np
from torch.utils.data import ConcatDataset as TorchConcatDataset

from eng.registry import DATASETS, PartOrConfig
from eng.structures import BaseDataElement
from eng.utils import DataSample, override

from .full_init import force_full_init
from .randomness import random_numbers_of
from .types import AnnotatedDataset, DataInfo, Metainfo

__all__ = ["ClassBalancedDataset", "ConcatDataset", "RepeatDataset"]


class PlaceError(IndexError, ValueError):
    """The index of a sample is out of range."""


class MetainfoTypeError(TypeError, ValueError):
    """The metainfo of two datasets has values of different types."""


class _Wrapper:
    """Base class of wrappers: loads lazily, and forwards requests for samples."""

    _fully_initialized = False
    _own_metainfo: Any = None

    @property
    def metainfo(self) -> Metainfo:
        """A copy of the metainfo: that of the first dataset, unless a subclass modifies it."""
        if self._own_metainfo is None:
            return self._first_dataset().metainfo
        own: Metainfo = copy.deepcopy(self._own_metainfo)
        return own

    @property
    def _metainfo(self) -> Any:
        """The metainfo itself, for a subclass to modify or replace."""
        if self._own_metainfo is None:
            self._own_metainfo = self._first_dataset().metainfo
        return self._own_metainfo

    @_metainfo.setter
    def _metainfo(self, metainfo: Any) -> None:
        self._own_metainfo = metainfo

    def _first_dataset(self) -> AnnotatedDataset:
        raise NotImplementedError

    def _load_first(self) -> None:
        """Load the annotations of the first dataset, which may add keys to the metainfo."""
        dataset = self._first_dataset()
        before = dataset.metainfo
        dataset.full_init()
        if not isinstance(self._own_metainfo, MutableMapping):
            return
        for key, value in dataset.metainfo.items():
            if key not in before:
                self._own_metainfo.setdefault(key, value)

    def full_init(self) -> None:
        """Load the annotations of the wrapped datasets, once."""
        raise NotImplementedError

    def _locate(self, idx: int) -> tuple[AnnotatedDataset, int]:
        """Return the dataset of a sample, and its index there."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    @force_full_init
    def get_data_info(self, idx: int) -> DataInfo:
        """Return the annotation of a sample.

        Args:
            idx: Its index in this dataset.

        Returns:
            The annotation; its ``sample_idx`` is the index in the wrapped dataset.

        Raises:
            IndexError: If the index is out of range.
        """
        dataset, own = self._locate(idx)
        return dataset.get_data_info(own)

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the categories in a sample.

        Args:
            idx: Its index in this dataset.

        Returns:
            Result of ``get_cat_ids`` of the wrapped dataset.

        Raises:
            IndexError: If the index is out of range.
        """
        dataset, own = self._locate(idx)
        return dataset.get_cat_ids(own)

    @force_full_init
    def __getitem__(self, idx: int) -> DataSample:
        with random_numbers_of(idx):
            dataset, own = self._locate(idx)
            return dataset[own]

    def get_subset_(self, indices: int | Sequence[int]) -> NoReturn:
        """Not supported.

        Args:
            indices: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not support subsets, which would be ambiguous: take a "
            "subset of the wrapped dataset, with its get_subset or indices"
        )

    def get_subset(self, indices: int | Sequence[int]) -> NoReturn:
        """Not supported.

        Args:
            indices: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        self.get_subset_(indices)

    def _check_index(self, idx: int) -> int:
        """Convert an index to a non-negative one."""
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
        datasets: The datasets or their configs. Their metainfo must be equal.
        lazy_init: Whether to load annotations at their first use rather than now. Defaults to
            False.
        ignore_keys: A key, or keys, in which the metainfo may differ; the first dataset takes
            precedence. Defaults to None.

    Raises:
        TypeError: If an element is neither a dataset nor a config, ``ignore_keys`` is neither a str
            nor a list of str, or values of the metainfo have different types.
        ValueError: If ``datasets`` is empty or, when annotations are loaded, their metainfo
            differs.
    """

    # Not where a constructor of a subclass does without this one, since it joins metainfo itself.
    _compares_metainfo = False

    def __init__(
        self,
        datasets: Sequence[PartOrConfig[AnnotatedDataset]],
        lazy_init: bool = False,
        ignore_keys: str | Sequence[str] | None = None,
    ) -> None:
        self.datasets: list[Any] = [
            _build(each, f"datasets[{i}]") for i, each in enumerate(datasets)
        ]
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset")
        self.ignore_keys = _list_keys(ignore_keys)
        self._compares_metainfo = True
        if not lazy_init:
            self.full_init()

    @override
    def full_init(self) -> None:
        """Load the annotations of each dataset, once.

        Raises:
            ValueError: If their metainfo differs; names the dataset and the keys. If values have
                different types, it is also a ``TypeError``.
        """
        if self._fully_initialized:
            return
        self._load_first()
        for dataset in self.datasets[1:]:
            dataset.full_init()
        if self._compares_metainfo:
            first = self._select_metainfo(self.datasets[0])
            for number, dataset in enumerate(self.datasets[1:], 1):
                _check_equal(first, self._select_metainfo(dataset), number)
        TorchConcatDataset.__init__(self, self.datasets)
        self._fully_initialized = True

    @override
    def _first_dataset(self) -> AnnotatedDataset:
        first: AnnotatedDataset = self.datasets[0]
        return first

    def _select_metainfo(self, dataset: AnnotatedDataset) -> Metainfo:
        return {k: v for k, v in dataset.metainfo.items() if k not in self.ignore_keys}

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[int, int]:
        """Return the number of the dataset of a sample, and its index there."""
        position = self._check_index(idx)
        number = int(np.searchsorted(self.cumulative_sizes, position, side="right"))
        before = self.cumulative_sizes[number - 1] if number else 0
        return number, position - before

    @override
    def _locate(self, idx: int) -> tuple[AnnotatedDataset, int]:
        number, own = self._get_ori_dataset_idx(idx)
        return self.datasets[number], own

    @force_full_init
    @override
    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


@DATASETS.register_module()
class RepeatDataset(_Wrapper):
    """A dataset that is repeated, for a longer epoch.

    Args:
        dataset: The dataset or its config.
        times: Number of repetitions.
        lazy_init: Whether to load annotations at their first use rather than now. Defaults to
            False.

    Raises:
        TypeError: If ``dataset`` is neither a dataset nor a config.
        ValueError: If ``times`` is not an integer of at least 1.
    """

    def __init__(
        self, dataset: PartOrConfig[AnnotatedDataset], times: int, lazy_init: bool = False
    ) -> None:
        if int(times) != times or times < 1:
            raise ValueError(f"times must be an integer of at least 1, not {times!r}")
        self.dataset = _build(dataset, "dataset")
        self.times = int(times)
        if not lazy_init:
            self.full_init()

    @override
    def full_init(self) -> None:
        """Load the annotations of the dataset, once."""
        if self._fully_initialized:
            return
        self._load_first()
        self._fully_initialized = True

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> int:
        """Return the index of a sample in the dataset."""
        return self._check_index(idx) % len(self.dataset)

    @override
    def _first_dataset(self) -> AnnotatedDataset:
        return self.dataset

    @override
    def _locate(self, idx: int) -> tuple[AnnotatedDataset, int]:
        return self.dataset, self._get_ori_dataset_idx(idx)

    @force_full_init
    @override
    def __len__(self) -> int:
        return self.times * len(self.dataset)


@DATASETS.register_module()
class ClassBalancedDataset(_Wrapper):
    """A dataset that oversamples rare categories.

    A category in a fraction ``f`` of the samples has the repeat factor
    ``max(1, sqrt(oversample_thr / f))``; a sample is repeated by the highest factor of its
    categories, rounded up, or once without categories. See Gupta, Dollár and Girshick, "LVIS: A
    Dataset for Large Vocabulary Instance Segmentation", 2019, section on repeat factor sampling.

    Args:
        dataset: The dataset or its config; it must have ``get_cat_ids``.
        oversample_thr: Fraction of samples in ``[0, 1]``; rarer categories are repeated.
        lazy_init: Whether to load annotations at their first use rather than now. Defaults to
            False.

    Attributes:
        repeat_indices: Indices in the dataset by the indices here; shape ``(len,)``.

    Raises:
        TypeError: If ``dataset`` is neither a dataset nor a config.
        ValueError: If the threshold is out of range.
    """

    def __init__(
        self,
        dataset: PartOrConfig[AnnotatedDataset],
        oversample_thr: float,
        lazy_init: bool = False,
    ) -> None:
        if not 0 <= oversample_thr <= 1:
            raise ValueError(
                f"oversample_thr must be a fraction of samples in [0, 1], not {oversample_thr}"
            )
        self.dataset = _build(dataset, "dataset")
        self.oversample_thr = oversample_thr
        if not lazy_init:
            self.full_init()

    @override
    def full_init(self) -> None:
        """Load the annotations of the dataset and count its categories, once."""
        if self._fully_initialized:
            return
        self._load_first()
        own = self._get_repeat_factors(self.dataset, self.oversample_thr)
        factors = [math.ceil(factor) for factor in own]
        self.repeat_indices = np.repeat(np.arange(len(factors)), factors)
        self._fully_initialized = True

    def _get_repeat_factors(self, dataset: AnnotatedDataset, repeat_thr: float) -> list[float]:
        """Return the factor of each sample of a dataset, not rounded; 1 without categories."""
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
        """Return the index of a sample in the dataset."""
        return int(self.repeat_indices[self._check_index(idx)])

    @override
    def _first_dataset(self) -> AnnotatedDataset:
        return self.dataset

    @override
    def _locate(self, idx: int) -> tuple[AnnotatedDataset, int]:
        return self.dataset, self._get_ori_dataset_idx(idx)

    @force_full_init
    @override
    def __len__(self) -> int:
        return len(self.repeat_indices)


def _list_keys(keys: object) -> list[str]:
    each = [] if keys is None else [keys] if isinstance(keys, str) else keys
    if not isinstance(each, (list, tuple, set)) or not all(isinstance(k, str) for k in each):
        raise TypeError(f"ignore_keys must be a key or a list of keys, not {keys!r}")
    return list(each)


def _check_equal(first: Metainfo, other: Metainfo, number: int) -> None:
    """Compare metainfo with that of the first dataset."""
    shared = first.keys() & other.keys()
    # Data elements compare arrays too.
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
            f"{key!r} is {_format_value(first, key)} in datasets[0] but "
            f"{_format_value(other, key)} in datasets[{number}]"
            for key in sorted(differ, key=str)
        )
        + ". Pass keys that may differ as ignore_keys"
    )


def _format_value(metainfo: Metainfo, key: str) -> str:
    return repr(metainfo[key]) if key in metainfo else "missing"


def _build(dataset: PartOrConfig[AnnotatedDataset], name: str) -> AnnotatedDataset:
    built: AnnotatedDataset = DATASETS.build(dataset) if isinstance(dataset, Mapping) else dataset
    missing = [a for a in ("full_init", "metainfo", "get_data_info") if not hasattr(built, a)]
    if missing:
        raise TypeError(
            f"{name} must be a BaseDataset, a wrapper or the config of one; "
            f"missing in {type(built).__name__}: {', '.join(missing)}"
        )
    return built
