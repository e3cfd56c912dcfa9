"""Instances: equal lengths, indexing of every kind, and joining."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.structures import BaseDataElement, InstanceData, LabelData, PixelData


class Polygons:
    """The custom structure of the documentation."""

    def __init__(self, tmp: list) -> None:
        assert isinstance(tmp, list)
        self.tmp = tmp

    def __len__(self) -> int:
        return len(self.tmp)

    def __getitem__(self, item: Any) -> Polygons:
        if type(item) == int:  # noqa: E721
            if item >= len(self) or item < -len(self):
                raise IndexError(f"Index {item} out of range!")
            item = slice(item, None, len(self))
        return Polygons(self.tmp[item])

    @staticmethod
    def cat(tmp_objs: list[Polygons]) -> Polygons:
        assert all(isinstance(results, Polygons) for results in tmp_objs)
        if len(tmp_objs) == 1:
            return tmp_objs[0]
        return Polygons(list(itertools.chain(*(tmp_obj.tmp for tmp_obj in tmp_objs))))

    def __repr__(self) -> str:
        return str(self.tmp)


class Detections(InstanceData):
    @property
    def boxes(self) -> torch.Tensor:
        return self._boxes

    @boxes.setter
    def boxes(self, value: torch.Tensor) -> None:
        self.set_field(value, "_boxes", dtype=torch.Tensor)

    @boxes.deleter
    def boxes(self) -> None:
        del self._boxes


def instances(count: int, cls: type[InstanceData] = InstanceData) -> InstanceData:
    return cls(
        metainfo={"img_shape": (4, 4)},
        tensor=torch.arange(count),
        array=np.arange(count) * 2,
        list=[str(i) for i in range(count)],
        tuple=tuple(range(count)),
        string="abcdefghijklmnopqrst"[:count],
        polygons=Polygons([[i, i] for i in range(count)]),
    )


def chosen(element: InstanceData) -> list[int]:
    """The numbers of the instances, after a check that all fields have the same."""
    numbers = element.tensor.tolist()
    assert element.array.tolist() == [2 * n for n in numbers]
    assert element.list == [str(n) for n in numbers]
    assert element.tuple == tuple(numbers)
    assert element.string == "".join("abcdefghijklmnopqrst"[n] for n in numbers)
    assert element.polygons.tmp == [[n, n] for n in numbers]
    assert len(element) == len(numbers)
    return numbers


def test_the_documented_example() -> None:
    data = InstanceData(metainfo={"img_shape": (800, 1196, 3), "pad_shape": (800, 1216, 3)})
    assert "img_shape" in data
    assert len(data) == 0
    data.det_labels = torch.LongTensor([2, 3])
    data["det_scores"] = torch.Tensor([0.8, 0.7])
    data.bboxes = torch.rand((2, 4))
    data.polygons = Polygons([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert len(data) == 2
    assert "polygons: [[1, 2, 3, 4], [5, 6, 7, 8]]" in str(data)
    ordered = data[data.det_scores.sort().indices]
    assert torch.equal(ordered.det_scores, torch.tensor([0.7, 0.8]))
    high = data[data.det_scores > 0.75]
    assert high.det_labels.tolist() == [2]
    assert high.bboxes.shape == (1, 4)
    assert str(high.polygons) == "[[1, 2, 3, 4]]"
    none = data[data.det_scores > 1]
    assert str(none.det_labels) == "tensor([], dtype=torch.int64)"
    assert none.bboxes.shape == (0, 4)
    assert len(none.polygons) == 0
    both = data.cat([data, data])
    assert both.det_labels.tolist() == [2, 3, 2, 3]
    assert len(both.polygons) == 4
    assert both.metainfo == data.metainfo


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_an_index_chooses_what_it_chooses_of_a_list(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 8))
    element, plain = instances(count), list(range(count))
    window = data.draw(st.slices(count))
    assert chosen(element[window]) == plain[window]
    if count:
        number = data.draw(st.integers(-count, count - 1))
        for one in (number, np.int64(number)):
            assert chosen(element[one]) == [plain[number]]
        numbers = data.draw(st.lists(st.integers(-count, count - 1), max_size=10))
        wanted = [plain[n] for n in numbers]
        kinds = [list, np.array, torch.tensor]
        for kind in kinds if numbers else [list]:
            assert chosen(element[kind(numbers)]) == wanted
        assert chosen(element[torch.tensor(numbers, dtype=torch.int32)]) == wanted
    mask = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    wanted = [n for n, keep in zip(plain, mask, strict=True) if keep]
    for index in (mask, np.array(mask, bool), torch.tensor(mask, dtype=torch.bool)):
        assert chosen(element[index]) == wanted


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4))
@settings(deadline=None)
def test_parts_joined_are_the_whole(lengths: list[int]) -> None:
    whole = instances(sum(lengths))
    parts, start = [], 0
    for length in lengths:
        parts.append(whole[start : start + length])
        start += length
    assert chosen(InstanceData.cat(parts)) == list(range(sum(lengths)))


def test_a_single_element_joined_is_itself() -> None:
    element = instances(2)
    assert InstanceData.cat([element]) is element


def test_a_string_chooses_a_field_and_iteration_ends() -> None:
    element = instances(3)
    assert element["list"] == ["0", "1", "2"]
    assert [chosen(one) for one in element] == [[0], [1], [2]]


def test_a_subclass_with_properties() -> None:
    element = Detections(metainfo={"a": [1]}, boxes=torch.rand(3, 4), labels=[1, 2, 3])
    kept = element[[2, 0]]
    assert type(kept) is Detections
    assert torch.equal(kept.boxes, element.boxes[[2, 0]])
    assert (kept.keys(), kept.labels, len(kept)) == (["boxes", "labels"], [3, 1], 2)
    assert len(Detections.cat([element, kept]).boxes) == 5
    with pytest.raises(AssertionError, match=r"'boxes' of Detections has 2 .*'labels' has 3"):
        element.boxes = torch.rand(2, 4)
    kept.a.append(2)
    assert element.a == [1]
    del element.labels
    element.boxes = torch.rand(2, 4)
    assert len(element) == 2


def test_copies_and_conversions_keep_instances() -> None:
    element = InstanceData(scores=torch.ones(2), names=["a", "b"])
    for same in (copy.deepcopy(element), pickle.loads(pickle.dumps(element)), element.clone()):
        assert same == element
    assert isinstance(element.numpy().scores, np.ndarray)
    assert element.to(torch.float64)[0].scores.dtype is torch.float64
    nested = InstanceData(parts=element, ids=[1, 2])
    assert nested[[True, False]].parts.names == ["a"]


def test_lengths_that_differ() -> None:
    element = InstanceData(scores=torch.ones(3))
    words = (
        r"'boxes' of InstanceData has 2 entries \(Tensor of shape \(2, 4\) and dtype torch.float32"
        r"\), but 'scores' has 3"
    )
    with pytest.raises(AssertionError, match=words):
        element.boxes = torch.ones(2, 4)
    with pytest.raises(AssertionError, match=r"'names' of InstanceData has 1 entries \(list\)"):
        InstanceData(scores=torch.ones(0), names=["a"])
    with pytest.raises(AssertionError, match=r"'score'.*Tensor of shape \(\).* has no length"):
        element.score = torch.tensor(1.0)
    with pytest.raises(AssertionError, match=r"'box'.*BaseDataElement has no length"):
        element.box = BaseDataElement()
    with pytest.raises(AssertionError):
        element.set_data({"more": [1, 2, 3], "fewer": [1]})
    assert element.keys() == ["scores"]
    element.scores = torch.ones(5)  # alone, it may change
    element.set_metainfo({"img_shape": 4})  # metainfo has no length
    assert len(element) == 5


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        (3, IndexError, "index 3 is out of bounds for InstanceData with 3 instances"),
        (-4, IndexError, "index -4 is out of bounds"),
        ([0, 5], IndexError, "index 5 is out of bounds"),
        (torch.tensor([-9]), IndexError, "index -9 is out of bounds"),
        ([True], IndexError, "index length mismatch: 1 bools for InstanceData with 3 instances"),
        (torch.ones(1, 3, dtype=torch.bool), IndexError, r"not Tensor of shape \(1, 3\)"),
        ([0.5], IndexError, "integers or bools, not Tensor .*float64"),
        (torch.tensor(1), IndexError, "one dimension"),
        ((0, 1), TypeError, "not tuple"),
        (None, TypeError, "not NoneType"),
        (True, TypeError, "not bool"),
    ],
)
def test_bad_indices(index: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        instances(3)[index]


def test_what_has_no_cat() -> None:
    element = InstanceData(numbers=range(3))
    assert element[1:].numbers == range(1, 3)
    with pytest.raises(ValueError, match="'numbers' is a range without a method cat"):
        element[[0, 1]]
    with pytest.raises(ValueError, match="'numbers' is a range without a method cat"):
        InstanceData.cat([element, element])


def test_bad_input_of_cat() -> None:
    with pytest.raises(ValueError, match="at least one"):
        InstanceData.cat([])
    with pytest.raises(TypeError, match="entry 1 must be an InstanceData, not dict"):
        InstanceData.cat([instances(1), {}])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"entry 0 has \['a'\], entry 1 has \['b'\]"):
        InstanceData.cat([InstanceData(a=[1]), InstanceData(b=[1])])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: InstanceData(a=3), TypeError),
        (lambda: InstanceData(a=[1, 2], b=[1]), ValueError),
        (lambda: InstanceData(a=[1])[5], IndexError),
        (lambda: InstanceData(a=[1])[[0, 1]], IndexError),
        (lambda: InstanceData(a=[1])[{}], TypeError),
        (lambda: InstanceData(a=[1])[np.array([True, False])], IndexError),
        (lambda: InstanceData.cat([]), ValueError),
        (lambda: InstanceData.cat([1, 2]), TypeError),
        (lambda: InstanceData(a=[1]).set_field(1, "b", dtype=str), TypeError),
        (lambda: InstanceData(a=[1]).set_field([1], "b", field_type="other"), ValueError),
        (lambda: PixelData(a=[1]), TypeError),
        (lambda: PixelData(a=torch.zeros(2, 2), b=torch.zeros(3, 3)), ValueError),
        (lambda: PixelData(a=torch.zeros(2)), ValueError),
        (lambda: LabelData.label_to_onehot([1], 3), TypeError),
        (lambda: LabelData.label_to_onehot(torch.tensor([3]), 3), ValueError),
        (lambda: LabelData.onehot_to_label([1, 0]), TypeError),
        (lambda: LabelData.onehot_to_label(torch.tensor([2, 0])), ValueError),
    ],
)
def test_errors_have_two_parents(call, error):
    for kind in (error, AssertionError):
        with pytest.raises(kind):
            call()
