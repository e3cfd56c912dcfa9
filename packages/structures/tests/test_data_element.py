"""The documented operations of a data element."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from eng.structures import BaseDataElement


class Sample(BaseDataElement):
    @property
    def boxes(self) -> BaseDataElement:
        return self._boxes

    @boxes.setter
    def boxes(self, value: BaseDataElement) -> None:
        self.set_field(value, "_boxes", dtype=BaseDataElement)

    @boxes.deleter
    def boxes(self) -> None:
        del self._boxes


@pytest.fixture
def element() -> BaseDataElement:
    return BaseDataElement(
        metainfo={"img_shape": (4, 6)},
        scores=torch.ones(3, requires_grad=True),
        inner=BaseDataElement(metainfo={"id": 1}, points=torch.zeros(2)),
    )


def test_metainfo_and_data_are_apart(element: BaseDataElement) -> None:
    assert element.metainfo == {"img_shape": (4, 6)}
    assert element.keys() == ["scores", "inner"]
    assert element.all_keys() == ["img_shape", "scores", "inner"]
    assert "img_shape" in element
    assert element.metainfo_keys() == ["img_shape"]
    element.img_shape = (8, 8)
    assert element.metainfo == {"img_shape": (8, 8)}
    with pytest.raises(AttributeError, match="scores"):
        element.set_metainfo({"scores": 1})
    with pytest.raises(AttributeError, match="img_shape"):
        element.set_data({"img_shape": 1})
    with pytest.raises(AttributeError):
        element._data_fields = {}
    with pytest.raises(TypeError, match="list"):
        element.set_metainfo([1])


def test_metainfo_is_a_copy() -> None:
    shape = [1, 2]
    element = BaseDataElement(metainfo={"shape": shape})
    shape.append(3)
    assert element.shape == [1, 2]


def test_get_pop_and_delete(element: BaseDataElement) -> None:
    assert element.get("img_shape") == (4, 6)
    assert element.get("nothing", 5) == 5
    del element.img_shape
    assert "img_shape" not in element
    assert element.pop("img_shape", None) is None
    assert isinstance(element.pop("inner"), BaseDataElement)
    with pytest.raises(KeyError, match="inner"):
        element.pop("inner")


def test_properties_check_their_type_and_count_once() -> None:
    sample = Sample()
    sample.boxes = BaseDataElement(points=torch.ones(1))
    assert sample.keys() == ["boxes"]
    assert sample.clone().boxes.points.tolist() == [1]
    with pytest.raises(AssertionError, match="boxes"):
        sample.boxes = torch.ones(1)
    del sample.boxes
    assert "boxes" not in sample


def test_tensor_methods_reach_nested_elements(element: BaseDataElement) -> None:
    half = element.to(torch.float16)
    assert half.scores.dtype is half.inner.points.dtype is torch.float16
    assert element.scores.dtype is torch.float32
    assert not element.detach().scores.requires_grad
    arrays = element.numpy()
    assert isinstance(arrays.inner.points, np.ndarray)
    assert isinstance(arrays.to_tensor().inner.points, torch.Tensor)
    assert arrays.metainfo == element.metainfo


def test_new_clone_and_update(element: BaseDataElement) -> None:
    other = element.new(metainfo={"img_shape": (1, 1)}, scores=torch.zeros(1))
    assert (other.img_shape, other.keys()) == ((1, 1), ["scores"])
    assert element.new().scores is element.scores
    cloned = element.detach().clone()
    assert cloned.scores is not element.scores
    other.update(element)
    assert other.img_shape == (4, 6)
    assert "inner" in other


@pytest.mark.parametrize("again", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_copies_and_pickles(again: Any) -> None:
    element = BaseDataElement(metainfo={"a": 1}, b=torch.ones(2))
    same = again(element)
    assert same.to_dict().keys() == {"a", "b"}
    assert torch.equal(same.b, element.b)


def test_to_dict_and_repr(element: BaseDataElement) -> None:
    assert element.to_dict()["inner"]["id"] == 1
    text = repr(element)
    assert "META INFORMATION\n    img_shape: (4, 6)" in text
    assert "        points: tensor([0., 0.])" in text
