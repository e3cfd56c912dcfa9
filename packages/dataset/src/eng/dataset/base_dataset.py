"""Base class of datasets with annotations."""

from __future__ import annotations

import copy
import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from operator import index
from pickle import HIGHEST_PROTOCOL, dumps, loads
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from torch.utils.data import Dataset

from eng.fileio import isfile, join_path, list_from_file, load
from eng.logging import print_log
from eng.registry import DATASETS, PartOrConfig
from eng.utils import DataSample, is_abs, override

from .combined_error import explain_error
from .compose import Compose, sample_name
from .full_init import force_full_init, initialize
from .randomness import random_numbers_of
from .shared_buffer import SharedBuffer
from .types import DataInfo, Metainfo, Transform

__all__ = ["AnnotationError", "BaseDataset"]

Self = TypeVar("Self", bound="BaseDataset")
Indices = int | Sequence[int]


class AnnotationError(ValueError):
    """An annotation file is invalid; the message names the file and the entry.

    Where the code of a subclass raised, it is an error of that class too.
    """


@DATASETS.register_module()
class BaseDataset(Dataset):
    """A dataset of annotations in a file, from which a pipeline makes samples.

    The file, in any storage and format of :func:`eng.fileio.load`, contains a dict::

        {"metainfo": {"classes": ["cat", "dog"]},
         "data_list": [{"img_path": "1.jpg", "instances": [...]}, ...]}

    Subclasses override :meth:`load_data_list` for other files, and :meth:`parse_data_info` for
    other entries.

    Metainfo comes from the argument ``metainfo``, from ``METAINFO`` of the class and from the file,
    in this order of precedence. A string in the argument that is the path of a file is replaced by
    the lines of that file; other strings are kept, with a warning in the log.

    Args:
        ann_file: Path of the annotation file, relative to ``data_root`` unless it is absolute.
            Defaults to ``''``, which like None is without annotation file.
        metainfo: Metainfo. Defaults to None.
        data_root: Directory of ``ann_file`` and ``data_prefix``. Defaults to ``''``.
        data_prefix: Prefixes of paths by their keys in the entries, relative to ``data_root``
            unless absolute. Each key must be in each entry. Defaults to ``dict(img_path='')``.
        filter_cfg: Settings for :meth:`filter_data` of a subclass. Defaults to None.
        indices: Samples to use: with an int, at most as many of the first samples, or of the last
            for a negative one; or a sequence of indices. Defaults to None, all.
        serialize_data: Whether to keep annotations pickled in memory that workers share, rather
            than as objects that each worker copies over time. Defaults to True.
        pipeline: Transforms or their configs, see :class:`Compose`. Defaults to none.
        test_mode: Whether to raise if the pipeline returns None for a sample, instead of fetching
            another sample. Defaults to False.
        lazy_init: Whether to load annotations at their first use rather than now. Defaults to
            False.
        max_refetch: Maximum number of random samples to fetch if the pipeline returns None.
            Defaults to 1000.
        share_across_ranks: Whether the processes of a machine also share the pickled annotations.
            All processes of the run must then load them at the same time. Defaults to False.
        backend_args: Settings of the storage of the annotation file, see
            :func:`eng.fileio.get_file_backend`. Defaults to None.

    Raises:
        AnnotationError: If the annotation file is invalid.
        TypeError: If ``metainfo`` is not a mapping or a prefix not a str.
        IndexError: If one of ``indices`` is out of range.
        ValueError: If the dataset is empty.
    """

    # A plain dict: subclasses copy it.
    METAINFO: Mapping[str, Any] = {}

    # On the class, for subclasses whose __init__ does not call this one.
    _fully_initialized = False
    share_across_ranks = False
    backend_args: Mapping[str, object] | None = None
    _annotation_storage: Mapping[str, object] | None = None

    def __init__(
        self,
        ann_file: str | None = "",
        metainfo: Mapping[str, object] | None = None,
        data_root: str | None = "",
        data_prefix: Mapping[str, str] = MappingProxyType({"img_path": ""}),
        filter_cfg: dict[str, Any] | None = None,
        indices: Indices | None = None,
        serialize_data: bool = True,
        pipeline: Sequence[PartOrConfig[Transform]] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        share_across_ranks: bool = False,
        backend_args: Mapping[str, object] | None = None,
    ) -> None:
        self.ann_file = ann_file
        self._metainfo = self._load_metainfo(copy.deepcopy(metainfo))
        self.data_root = data_root
        self.data_prefix = dict(data_prefix)
        self.filter_cfg = copy.deepcopy(filter_cfg)
        self._indices = indices
        self.serialize_data = serialize_data
        self.test_mode = test_mode
        self.max_refetch = max_refetch
        self.share_across_ranks = share_across_ranks
        if backend_args is not None:  # else a subclass may have set its own, for its images
            self.backend_args = self._annotation_storage = backend_args
        self.data_list: list[DataInfo] = []
        self._join_prefix()
        self.pipeline = Compose(pipeline)
        if not lazy_init:
            self.full_init()

    # ------------------------------------------------------------------ loading

    def full_init(self) -> None:
        """Load the annotations, filter them, select ``indices``, and serialize them, once.

        Raises:
            AnnotationError: If the annotation file is invalid.
            IndexError: If one of ``indices`` is out of range.
            ValueError: If the dataset is empty; with the number of samples after each step.
        """
        if self._fully_initialized:
            return
        self.data_list = _to_sized(self.load_data_list())
        loaded = len(self.data_list)
        self.data_list = _to_sized(self.filter_data())
        kept = len(self.data_list)
        if self._indices is not None:
            self.data_list = self._get_unserialized_subset(self._indices)
        if len(self.data_list) == 0:
            raise ValueError(
                f"{type(self).__name__} has no samples: {loaded} in {self.ann_file!r}, {kept} "
                f"after filter_data (filter_cfg={self.filter_cfg}), 0 after selecting "
                f"indices={self._indices}"
            )
        if self.serialize_data:
            self.data_bytes, self.data_address = self._serialize_data()
        self._fully_initialized = True

    def load_data_list(self) -> list[DataInfo]:
        """Load the annotations of all samples.

        Returns:
            One dict per sample.

        Raises:
            AnnotationError: If the file or one of its entries is invalid; names both.
        """
        if not self.ann_file:
            raise AnnotationError(
                f"{type(self).__name__} has no ann_file to load annotations from; pass ann_file, "
                "or override load_data_list"
            )
        where = f"annotation file {self.ann_file!r}"
        storage = self._annotation_storage
        try:
            annotations = load(
                self.ann_file, backend_args=None if storage is None else dict(storage)
            )
        except ValueError as error:
            message = f"cannot read annotations from {error}"
            raise explain_error(AnnotationError, message, error) from error
        if not isinstance(annotations, Mapping):
            raise AnnotationError(f"{where} must contain a dict, not {type(annotations).__name__}")
        for key, kind in (("metainfo", Mapping), ("data_list", list)):
            if key not in annotations:
                raise AnnotationError(
                    f"missing key {key!r} in {where}; it has {sorted(map(str, annotations))}"
                )
            if not isinstance(annotations[key], kind):
                raise AnnotationError(
                    f"{key!r} of {where} must be a {'list' if kind is list else 'dict'}, not "
                    f"{type(annotations[key]).__name__}"
                )
        for key, value in annotations["metainfo"].items():
            self._metainfo.setdefault(key, value)
        data_list: list[DataInfo] = []
        for number, entry in enumerate(annotations["data_list"]):
            place = f"entry {number} of 'data_list' of {where}"
            data_list += _parse_entry(self.parse_data_info, entry, place)
        return data_list

    def parse_data_info(self, raw_data_info: DataInfo) -> DataInfo | list[DataInfo]:
        """Convert an entry of the annotation file to the annotation of a sample.

        This implementation joins ``data_prefix`` and the paths in it.

        Args:
            raw_data_info: The entry.

        Returns:
            The annotation, or those of several samples.

        Raises:
            AnnotationError: If a key of ``data_prefix`` is missing.
        """
        for key, prefix in self.data_prefix.items():
            if not isinstance(raw_data_info.get(key), str):
                problem = "is not a path" if key in raw_data_info else "is missing"
                raise AnnotationError(
                    f"{key!r} of data_prefix {problem} in the entry, which has "
                    f"{sorted(map(str, raw_data_info))}"
                )
            if prefix:
                raw_data_info[key] = join_path(prefix, raw_data_info[key])
        return raw_data_info

    def filter_data(self) -> list[DataInfo]:
        """Filter ``self.data_list`` by ``filter_cfg``; this implementation keeps all samples.

        Returns:
            The annotations that are kept.
        """
        return self.data_list

    @classmethod
    def _load_metainfo(cls, metainfo: Mapping[str, object] | None = None) -> Metainfo:
        """Merge metainfo of the class and of the argument, which takes precedence."""
        if metainfo is not None and not isinstance(metainfo, Mapping):
            raise TypeError(f"metainfo must be a dict, not {type(metainfo).__name__}")
        merged = copy.deepcopy(dict(cls.METAINFO))
        for key, value in ({} if metainfo is None else metainfo).items():
            merged[key] = _read_metainfo(key, value) if isinstance(value, str) else value
        return merged

    def _copy_without_annotation(self: Self, memo: Mapping[int, object] | None = None) -> Self:
        """Make a deep copy without the annotations, which may be large."""
        other: Self = type(self).__new__(type(self))
        copied = {} if memo is None else dict(memo)
        copied[id(self)] = other
        for key, value in self.__dict__.items():
            if key not in ("data_list", "data_bytes", "data_address"):
                other.__dict__[key] = copy.deepcopy(value, copied)
        return other

    def _join_prefix(self) -> None:
        """Prepend ``data_root`` to relative paths."""
        if self.ann_file and self.data_root and not is_abs(self.ann_file):
            self.ann_file = join_path(self.data_root, self.ann_file)
        for key, prefix in self.data_prefix.items():
            if not isinstance(prefix, str):
                raise TypeError(f"data_prefix[{key!r}] must be a str, not {type(prefix).__name__}")
            if self.data_root and not is_abs(prefix):
                self.data_prefix[key] = join_path(self.data_root, prefix)

    # ------------------------------------------------------------------ serialized annotations

    def _serialize_data(self) -> tuple[SharedBuffer, SharedBuffer]:
        """Move ``data_list`` to shared memory.

        Returns:
            The pickled annotations, and the end of each. A subclass may return arrays.
        """
        buffers = _fill_buffers(_pickle_each(self.data_list, type(self).__name__))
        self.data_list = []
        if self.share_across_ranks:
            content, address = buffers
            buffers = content.across_ranks(), address.across_ranks()
        return buffers

    def _get_serialized_subset(self, indices: Indices) -> tuple[SharedBuffer, SharedBuffer]:
        content, ends = _view(self.data_bytes), _view(self.data_address)
        chosen = _resolve_indices(indices, len(self))
        return _fill_buffers(content[ends[i - 1] if i else 0 : ends[i]] for i in chosen)

    def _get_unserialized_subset(self, indices: Indices) -> list[DataInfo]:
        return [self.data_list[i] for i in _resolve_indices(indices, len(self.data_list))]

    # ------------------------------------------------------------------ samples

    @property
    def metainfo(self) -> Metainfo:
        """A copy of the metainfo."""
        return copy.deepcopy(self._metainfo)

    def get_data_info(self, idx: int) -> DataInfo:
        """Return the annotation of a sample.

        Args:
            idx: Its index; a negative one counts from the end.

        Returns:
            A copy of it, with the non-negative index as ``sample_idx``.

        Raises:
            IndexError: If the index is out of range.
        """
        if not self._fully_initialized:  # like force_full_init, without its overhead
            initialize(self)
        number = index(idx)
        kept: memoryview | DataInfo
        try:
            if number < 0:
                number += len(self)
                if number < 0:
                    raise IndexError
            if self.serialize_data:
                ends = _view(self.data_address)
                start = ends[number - 1] if number else 0
                kept = _view(self.data_bytes)[start : ends[number]]
            else:
                kept = self.data_list[number]
        except IndexError:
            raise IndexError(
                f"index {idx} is out of range: {type(self).__name__} has {len(self)} samples"
            ) from None
        info = loads(kept) if isinstance(kept, memoryview) else copy.deepcopy(kept)
        info["sample_idx"] = number
        return info

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the categories in a sample, for :class:`ClassBalancedDataset`.

        Args:
            idx: Index of the sample.

        Raises:
            NotImplementedError: Unless a subclass overrides it.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement get_cat_ids")

    def prepare_data(self, idx: int) -> DataSample:
        """Apply the pipeline to the annotation of a sample.

        Args:
            idx: Index of the sample.

        Returns:
            Output of the pipeline, None for an unusable sample.
        """
        return self.pipeline(self.get_data_info(idx))

    @override
    def __getitem__(self, idx: int) -> DataSample:
        """Return a sample.

        Args:
            idx: Its index. A subclass whose :meth:`prepare_data` knows others, such as a pair of
                a video and a frame, gets them as they are.

        Returns:
            Output of the pipeline for it. If that is None and ``test_mode`` is not set, the output
            for a random other sample.

        Raises:
            IndexError: If the index is out of range.
            TransformError: If a step of the pipeline raises.
            RuntimeError: If the pipeline returns None for it and for ``max_refetch`` others.
        """
        with random_numbers_of(idx):
            tried = wanted = _to_index(idx)
            for _ in range(1 if self.test_mode else self.max_refetch + 1):
                data = self.prepare_data(tried)
                if data is not None:
                    return data
                tried = self._rand_another()
        others = (
            "in test_mode no other sample replaces it"
            if self.test_mode
            else f"and for {self.max_refetch} other samples (max_refetch)"
        )
        has_info = isinstance(wanted, int)
        name = sample_name(self.get_data_info(wanted)) if has_info else f"sample {wanted!r}"
        raise RuntimeError(
            f"the pipeline of {type(self).__name__} returned None for {name}; {others}"
        )

    def _rand_another(self) -> int:
        return int(np.random.randint(len(self)))

    @force_full_init
    def __len__(self) -> int:
        return len(self.data_address if self.serialize_data else self.data_list)

    # ------------------------------------------------------------------ subsets

    @force_full_init
    def get_subset_(self, indices: Indices) -> None:
        """Keep only some samples.

        Args:
            indices: With an int, at most as many of the first samples, or of the last for a
                negative one; or a sequence of indices.

        Raises:
            IndexError: If an index of a sequence is out of range.
            TypeError: If it is neither.
        """
        if self.serialize_data:
            self.data_bytes, self.data_address = self._get_serialized_subset(indices)
        else:
            self.data_list = self._get_unserialized_subset(indices)

    @force_full_init
    def get_subset(self: Self, indices: Indices) -> Self:
        """Return a dataset of some of the samples, and leave this one unchanged.

        Args:
            indices: As in :meth:`get_subset_`.

        Returns:
            The dataset.

        Raises:
            IndexError: If an index of a sequence is out of range.
            TypeError: If it is neither.
        """
        # Not copied: serialized annotations are shared, and get_subset_ replaces a data_list.
        subset = copy.deepcopy(self, {id(self.data_list): self.data_list})
        subset.get_subset_(indices)
        return subset


def _to_sized(annotations: Any) -> Any:
    """Make a list of annotations that are generated or in an array; others may load lazily."""
    is_sized = isinstance(annotations, Sized) and not isinstance(annotations, np.ndarray)
    return annotations if is_sized else list(annotations)


def _parse_entry(
    parse: Callable[[DataInfo], DataInfo | list[DataInfo]], entry: object, where: str
) -> list[DataInfo]:
    if not isinstance(entry, Mapping):
        raise AnnotationError(f"{where} must be a dict, not {type(entry).__name__}")
    try:
        parsed = parse(dict(entry))
    except Exception as error:
        reason = error if isinstance(error, AnnotationError) else repr(error)
        raise explain_error(AnnotationError, f"{where}: {reason}", error) from error
    samples = parsed if isinstance(parsed, list) else [parsed]
    for sample in samples:
        if not isinstance(sample, dict):
            raise AnnotationError(
                f"{where}: parse_data_info must return a dict or a list of dicts, not "
                f"{type(sample).__name__}"
            )
    return samples


def _pickle_each(annotations: Sequence[DataInfo], dataset: str) -> Iterator[bytes]:
    for number in range(len(annotations)):
        try:
            pickled = dumps(annotations[number], protocol=HIGHEST_PROTOCOL)
        except Exception as error:  # an object's own __reduce__ may raise anything
            raise TypeError(
                f"annotation {number} of {dataset} cannot be pickled: {error}; set "
                "serialize_data=False to keep it as an object"
            ) from error
        yield pickled


def _to_index(idx: int) -> int:
    try:
        return index(idx)
    except TypeError:
        return idx


def _read_metainfo(key: str, value: str) -> str | list[str]:
    if value != "" and isfile(value):
        return list_from_file(value)
    print_log(
        f"metainfo[{key!r}]={value!r} is not a file; the string itself is used",
        logger="current",
        level=logging.WARNING,
    )
    return value


def _fill_buffers(pickles: Iterable[bytes | memoryview]) -> tuple[SharedBuffer, SharedBuffer]:
    """Concatenate pickles; the second buffer has the end of each."""
    ends = array("q")

    def measure() -> Iterator[bytes | memoryview]:
        end = 0
        for each in pickles:
            end += len(each)
            ends.append(end)
            yield each

    content = SharedBuffer(measure())
    return content, SharedBuffer([ends.tobytes()], "q")


def _view(numbers: SharedBuffer | np.ndarray) -> memoryview:
    return numbers.view if isinstance(numbers, SharedBuffer) else numbers.data


def _resolve_indices(indices: Any, length: int) -> Sequence[int]:
    """Convert ``indices`` of a dataset of some length to non-negative ones."""
    if isinstance(indices, (int, np.integer)) and not isinstance(indices, bool):
        count = min(abs(int(indices)), length)  # like a slice, never out of range
        return range(count) if indices >= 0 else range(length - count, length)
    if isinstance(indices, (str, bytes, Mapping)) or not hasattr(indices, "__len__"):
        raise TypeError(
            f"indices must be an int or a sequence of ints, not {type(indices).__name__}"
        )
    positions = [index(each) for each in indices]
    for each in positions:
        if not -length <= each < length:
            raise IndexError(f"index {each} in indices is out of range for {length} samples")
    return [each % length for each in positions]
