"""Datasets made of other datasets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset as TorchConcatDataset

from eng.registry import DATASETS
from eng.structures import BaseDataElement

from .full_init import force_full_init
from .randomness import random_numbers_of

__all__ = ["ClassBalancedDataset", "ConcatDataset", "RepeatDataset"]


class _Wrapper:
    """What wrappers share: they load lazily, and pass on what is asked of a sample."""

    _fully_initialized = False

    def full_init(self) -> None:
        """Load the annotations of what is wrapped; does nothing if that has been done."""
        raise NotImplementedError

    def _get_ori_dataset_idx(self, idx: int) -> tuple[Any, int]:
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
        dataset, own = self._get_ori_dataset_idx(idx)
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
        dataset, own = self._get_ori_dataset_idx(idx)
        return dataset.get_cat_ids(own)

    @force_full_init
    def __getitem__(self, idx: int) -> Any:
        with random_numbers_of(idx):
            dataset, own = self._get_ori_dataset_idx(idx)
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
            raise IndexError(
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
        ignore_keys: Keys in which the metainfo may differ; that of the first dataset counts.
            Defaults to none.

    Raises:
        TypeError: If something is neither a dataset nor a config.
        ValueError: If there are no datasets or their metainfo differs, once that is loaded.
    """

    def __init__(
        self,
        datasets: Sequence[Any],
        lazy_init: bool = False,
        ignore_keys: str | Sequence[str] = (),
    ) -> None:
        self.datasets: list[Any] = [
            _built(each, f"datasets[{i}]") for i, each in enumerate(datasets)
        ]
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset")
        self.ignore_keys = (ignore_keys,) if isinstance(ignore_keys, str) else tuple(ignore_keys)
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """A copy of the metainfo of the first dataset."""
        return self.datasets[0].metainfo

    def full_init(self) -> None:
        """Load the annotations of each dataset; does nothing if that has been done.

        Raises:
            ValueError: If their metainfo differs; names the dataset and the keys.
        """
        if self._fully_initialized:
            return
        for dataset in self.datasets:
            dataset.full_init()
        first = self._compared(self.datasets[0])
        for number, dataset in enumerate(self.datasets[1:], 1):
            other = self._compared(dataset)
            # As those of data elements, since values may hold arrays.
            differ = [
                key
                for key in sorted(first.keys() | other.keys(), key=str)
                if BaseDataElement(value=first.get(key)) != BaseDataElement(value=other.get(key))
            ]
            if differ:
                raise ValueError(
                    "datasets with different metainfo cannot be concatenated: "
                    + "; ".join(
                        f"{key!r} is {first.get(key)!r} in datasets[0] but {other.get(key)!r} in "
                        f"datasets[{number}]"
                        for key in differ
                    )
                    + ". Where that does not matter, name the keys in ignore_keys"
                )
        TorchConcatDataset.__init__(self, self.datasets)
        self._fully_initialized = True

    def _compared(self, dataset: Any) -> dict[str, Any]:
        return {k: v for k, v in dataset.metainfo.items() if k not in self.ignore_keys}

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[Any, int]:
        place = self._place(idx)
        number = int(np.searchsorted(self.cumulative_sizes, place, side="right"))
        before = self.cumulative_sizes[number - 1] if number else 0
        return self.datasets[number], place - before

    @force_full_init
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

    def full_init(self) -> None:
        """Load the annotations of the dataset; does nothing if that has been done."""
        self.dataset.full_init()
        self._fully_initialized = True

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[Any, int]:
        return self.dataset, self._place(idx) % len(self.dataset)

    @force_full_init
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

    def full_init(self) -> None:
        """Load the annotations of the dataset and count its categories, once."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        factors = [math.ceil(factor) for factor in self._repeat_factors()]
        self.repeat_indices = np.repeat(np.arange(len(factors)), factors)
        self._fully_initialized = True

    def _repeat_factors(self) -> list[float]:
        """The factor of each sample."""
        length = len(self.dataset)
        categories = [frozenset(self.dataset.get_cat_ids(i)) for i in range(length)]
        counts = Counter(category for each in categories for category in each)
        by_category = {
            category: max(1.0, math.sqrt(self.oversample_thr * length / count))
            for category, count in counts.items()
        }
        return [max((by_category[c] for c in each), default=1.0) for each in categories]

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[Any, int]:
        return self.dataset, int(self.repeat_indices[self._place(idx)])

    @force_full_init
    def __len__(self) -> int:
        return len(self.repeat_indices)


def _built(dataset: Any, name: str) -> Any:
    built = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
    missing = [a for a in ("full_init", "metainfo", "get_data_info") if not hasattr(built, a)]
    if missing:
        raise TypeError(
            f"{name} must be a BaseDataset, a wrapper or the config of one; "
            f"{type(built).__name__} has no {', '.join(missing)}"
        )
    return built
