"""Datasets made of others, and of those again."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import ConcatDataset as TorchConcatDataset

from eng.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset
from eng.registry import DATASETS


class Named(BaseDataset):
    """Samples ``(name, i)`` with categories."""

    def __init__(self, name: str, categories: Any, **kwargs: Any) -> None:
        self.name = name
        self.categories = categories
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        return [{"key": (self.name, i)} for i in range(len(self.categories))]

    def get_cat_ids(self, idx: int) -> list[int]:
        return self.categories[idx]


def keys(dataset: Any) -> list[tuple[str, int]]:
    fetched = [dataset[i]["key"] for i in range(len(dataset))]
    assert fetched == [dataset.get_data_info(i)["key"] for i in range(len(dataset))]
    assert fetched == [sample["key"] for sample in dataset]  # which ends
    return fetched


def of(name: str, count: int, **kwargs: Any) -> Named:
    return Named(name, [[i] for i in range(count)], **kwargs)


@pytest.fixture
def registered() -> Any:
    DATASETS.register_module(name="NamedForTest", module=of)
    yield
    DATASETS.module_dict.pop("NamedForTest")


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 4))
@settings(deadline=None)
def test_wrappers_of_wrappers(lengths: list[int], times: int) -> None:
    parts = [of(str(i), length) for i, length in enumerate(lengths)]
    plain = [(str(i), k) for i, length in enumerate(lengths) for k in range(length)]
    concat = ConcatDataset(parts)
    assert keys(concat) == plain
    assert keys(RepeatDataset(concat, times)) == plain * times
    assert keys(ConcatDataset([concat, RepeatDataset(parts[0], 2)])) == plain + 2 * keys(parts[0])
    balanced = ClassBalancedDataset(RepeatDataset(concat, times), 0.0)
    assert keys(balanced) == plain * times
    assert concat[-1]["key"] == plain[-1]
    for dataset in (concat, RepeatDataset(concat, times), balanced):
        assert [dataset.get_cat_ids(i) for i in range(len(plain))] == [[k] for _, k in plain]
        for number in (len(dataset), -len(dataset) - 1):
            with pytest.raises(IndexError, match=f"index {number} is out of range"):
                dataset[number]


@pytest.mark.usefixtures("registered")
def test_wrappers_out_of_configs() -> None:
    part = {"type": "NamedForTest", "name": "a", "count": 2}
    concat = {"type": "ConcatDataset", "datasets": [part, {**part, "name": "b"}]}
    dataset = DATASETS.build({"type": "RepeatDataset", "dataset": concat, "times": 2})
    assert keys(dataset) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)] * 2
    assert isinstance(dataset.dataset, TorchConcatDataset)
    balanced = {"type": "ClassBalancedDataset", "dataset": part, "oversample_thr": 0.1}
    assert len(DATASETS.build(balanced)) == 2


def test_wrappers_are_lazy() -> None:
    def part() -> Named:
        return of("a", 3, lazy_init=True)

    for make in (
        lambda lazy: ConcatDataset([part(), part()], lazy_init=lazy),
        lambda lazy: RepeatDataset(part(), 2, lazy_init=lazy),
        lambda lazy: ClassBalancedDataset(part(), 0.1, lazy_init=lazy),
    ):
        lazy, eager = make(True), make(False)

        def inner(dataset: Any) -> Named:
            return dataset.datasets[0] if hasattr(dataset, "datasets") else dataset.dataset

        assert not inner(lazy)._fully_initialized
        assert inner(eager)._fully_initialized
        assert len(lazy) == len(eager)
        assert inner(lazy)._fully_initialized
        assert make(True)[0]["key"] == make(True).get_data_info(0)["key"] == ("a", 0)


def test_subsets_of_wrappers_are_ambiguous() -> None:
    part = of("a", 3)
    for dataset in (
        ConcatDataset([part]),
        RepeatDataset(part, 2),
        ClassBalancedDataset(part, 0.1),
    ):
        for method in (dataset.get_subset, dataset.get_subset_):
            with pytest.raises(NotImplementedError, match=type(dataset).__name__):
                method(1)


@given(
    st.lists(st.sets(st.integers(0, 3), max_size=3), min_size=1, max_size=12),
    st.floats(0, 1),
)
@settings(deadline=None)
def test_rare_categories_come_more_often(categories: list[set[int]], threshold: float) -> None:
    """The formulas of the documentation, written out."""
    dataset = ClassBalancedDataset(Named("a", [sorted(c) for c in categories]), threshold)
    count = len(categories)
    fraction = {c: sum(c in each for each in categories) / count for c in range(4)}
    wanted = {}
    for i, each in enumerate(categories):
        repeats = [max(1, math.sqrt(threshold / fraction[c])) for c in each] or [1]
        wanted[("a", i)] = max(repeats)
    for key, times in Counter(keys(dataset)).items():
        # rounded up, where a last digit may decide
        assert times in (math.ceil(wanted[key] - 1e-9), math.ceil(wanted[key] + 1e-9))
    assert set(keys(dataset)) == set(wanted)


def test_metainfo() -> None:
    classes = {"classes": ("a", "b"), "palette": np.eye(2)}
    first, second = of("a", 1, metainfo=classes), of("b", 1, metainfo={**classes})
    concat = ConcatDataset([first, second])
    for dataset in (concat, RepeatDataset(concat, 2), ClassBalancedDataset(concat, 0.1)):
        assert dataset.metainfo["classes"] == ("a", "b")
    other = of("c", 1, metainfo={"classes": ("a", "b"), "palette": np.ones((2, 2)), "task": 1})
    words = (
        r"(?s)'palette' is array.* in datasets\[0\] but array.* in datasets\[2\]; "
        r"'task' is missing .*ignore_keys"
    )
    with pytest.raises(ValueError, match=words):
        ConcatDataset([first, second, other])
    lazy = ConcatDataset([first, other], lazy_init=True)
    with pytest.raises(ValueError, match="different metainfo"):
        len(lazy)
    ignoring = ConcatDataset([first, other], ignore_keys=["palette", "task"])
    assert sorted(ignoring.metainfo) == ["classes", "palette"]
    same = [of("a", 1, metainfo={"task": i}) for i in range(2)]
    assert len(ConcatDataset(same, ignore_keys="task")) == 2


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (({"k": 1}, {"k": 2}), ValueError),
        (({"k": 1}, {}), ValueError),
        (({}, {"k": None}), ValueError),
        (({"k": [1]}, {"k": (1,)}), TypeError),
        (({"k": 1}, {"k": 1.0}), TypeError),
        (({"k": np.ones(2)}, {"k": [1.0, 1.0]}), TypeError),
        (({"k": np.ones(2)}, {"k": np.zeros(2)}), ValueError),
    ],
)
def test_metainfo_that_differs(values: tuple[dict, dict], error: type[Exception]) -> None:
    parts = [of("a", 1, metainfo=each) for each in values]
    with pytest.raises(error, match="'k' is"):
        ConcatDataset(parts)
    for ignored in ("k", ["k"], ("k", "other")):
        assert len(ConcatDataset(parts, ignore_keys=ignored)) == 2


@pytest.mark.parametrize("ignored", [3, {"k": 1}, ["k", 1], b"k"])
def test_keys_to_ignore_are_text(ignored: object) -> None:
    with pytest.raises(TypeError, match="ignore_keys must be"):
        ConcatDataset([of("a", 1)], ignore_keys=ignored)


def test_indices_in_the_original_datasets() -> None:
    concat = ConcatDataset([of("a", 3), of("b", 2)])
    wanted = {0: (0, 0), 2: (0, 2), 3: (1, 0), 4: (1, 1), -1: (1, 1), -5: (0, 0)}
    assert {idx: concat._get_ori_dataset_idx(idx) for idx in wanted} == wanted
    for idx in (-9, -6, 5):
        for error in (ValueError, IndexError):
            with pytest.raises(error, match="out of range"):
                concat._get_ori_dataset_idx(idx)
    repeated = RepeatDataset(of("a", 3), 2)
    assert [repeated._get_ori_dataset_idx(i) for i in (0, 3, 5, -1)] == [0, 0, 2, 2]
    balanced = ClassBalancedDataset(Named("a", [[], [0], [0]]), 0.9)
    assert [balanced._get_ori_dataset_idx(i) for i in range(5)] == [0, 1, 1, 2, 2]


def test_repeat_factors() -> None:
    dataset = Named("a", [[], [0], [0]])
    balanced = ClassBalancedDataset(dataset, 0.9)
    factors = balanced._get_repeat_factors(dataset, 0.9)
    assert factors == [1.0, pytest.approx(1.161895003862225), pytest.approx(1.161895003862225)]

    class Twice(ClassBalancedDataset):
        def _get_repeat_factors(self, dataset: object, repeat_thr: float) -> list[float]:
            return [2.0] * 3

    assert len(Twice(dataset, 0.9)) == 6


def test_bad_input() -> None:
    part = of("a", 2)
    with pytest.raises(ValueError, match="at least one dataset"):
        ConcatDataset([])
    with pytest.raises(
        TypeError, match=r"datasets\[1\] must be a BaseDataset.* missing in list: full_"
    ):
        ConcatDataset([part, [1, 2]])
    with pytest.raises(TypeError, match="dataset must be a BaseDataset"):
        RepeatDataset(5, 2)
    for times in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"at least 1, not {times}"):
            RepeatDataset(part, times)
    for threshold in (-0.1, 1.1):
        with pytest.raises(ValueError, match=rf"in \[0, 1\], not {threshold}"):
            ClassBalancedDataset(part, threshold)
    with pytest.raises(NotImplementedError, match="must implement get_cat_ids"):
        ClassBalancedDataset(WithoutCategories(), 0.1)


class WithoutCategories(BaseDataset):
    def load_data_list(self) -> list[dict]:
        return [{"a": 1}]


def test_a_subclass_may_have_a_metainfo_of_its_own() -> None:
    class Numbered(ConcatDataset):
        def __init__(self, datasets: Any) -> None:
            super().__init__(datasets, lazy_init=True, ignore_keys="source")
            self.ignore_keys += ["split"]
            self._metainfo["numbered"] = True
            self.full_init()
            self._metainfo.update(sizes=self.cumulative_sizes)

    dataset = Numbered([of("a", 2, metainfo={"task": 1}), of("b", 1, metainfo={"task": 1})])
    assert dataset.ignore_keys == ["source", "split"]
    assert dataset.metainfo == {"task": 1, "numbered": True, "sizes": [2, 3]}
    repeated = RepeatDataset(dataset, 2)
    repeated._metainfo["task"] = 2
    assert repeated.metainfo == {"task": 2, "numbered": True, "sizes": [2, 3]}
    assert dataset.metainfo["task"] == 1


def test_a_constructor_without_super_may_join_different_metainfo() -> None:
    class Joined(ConcatDataset):
        def __init__(self, datasets: Any) -> None:
            self.datasets = datasets
            self._metainfo = [each.metainfo for each in datasets]
            self._fully_initialized = False
            self.full_init()

    dataset = Joined([of("a", 2, metainfo={"task": 1}), of("b", 1, metainfo={"task": 2})])
    assert dataset.metainfo == [{"task": 1}, {"task": 2}]
    assert keys(dataset) == [("a", 0), ("a", 1), ("b", 0)]


def test_metainfo_of_annotation_files_is_added_to_that_of_a_subclass(tmp_path: Path) -> None:
    annotations = tmp_path / "a.json"
    annotations.write_text('{"metainfo": {"classes": ["a"]}, "data_list": [{"k": 1}]}')
    lazy = BaseDataset(ann_file=str(annotations), data_prefix={}, lazy_init=True)
    dataset = RepeatDataset(lazy, 2, True)
    dataset._metainfo["own"] = 1
    assert len(dataset) == 2
    assert dataset.metainfo == {"own": 1, "classes": ["a"]}
