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

    @property
    def source(self) -> str:
        return self._source

    @source.setter
    def source(self, value: str) -> None:
        self.set_field(value, "_source", dtype=str, field_type="metainfo")


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


def test_a_property_may_be_metainfo() -> None:
    sample = Sample()
    sample.source = "camera"
    assert (sample.metainfo, sample.keys()) == ({"source": "camera"}, [])
    assert sample.new().source == "camera"
    sample.source = "file"
    assert sample.metainfo == {"source": "file"}


def test_the_documented_example() -> None:
    element = BaseDataElement(
        metainfo={"img_id": 0, "img_shape": (640, 640)},
        bboxes=torch.rand((6, 4)),
        scores=torch.rand((6,)),
    )
    doubled = element.bboxes * 2
    element.img_shape = (1280, 1280)
    element.bboxes = element.bboxes * 2
    assert element.get("img_shape", None) == (1280, 1280)
    assert torch.equal(element.get("bboxes", None), doubled)
    assert "img_shape" in element.metainfo_keys()
    assert element.keys() == ["bboxes", "scores"]
    assert "scores" in element.all_keys()
    assert "scores" not in element.metainfo_keys()
    del element.img_shape
    del element.bboxes
    assert element.all_keys() == ["img_id", "scores"]
    assert element.pop("img_shape", None) is element.pop("bboxes", None) is None
    moved = element.to("cpu").to(
        device=None,
        dtype=torch.float16,
        non_blocking=False,
        copy=False,
        memory_format=torch.preserve_format,
    )
    assert moved.cpu().scores.dtype is torch.float16
    proposals = BaseDataElement(bboxes=torch.rand((5, 4)))
    sample = Sample()
    sample.boxes = proposals
    assert "boxes" in sample
    assert sample.boxes == proposals


def test_printing_as_documented() -> None:
    metainfo = {"img_shape": (800, 1196, 3)}
    inner = BaseDataElement(metainfo=metainfo, det_labels=torch.LongTensor([0, 1, 2, 3]))
    text = str(BaseDataElement(metainfo=metainfo, gt_instances=inner))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert lines[:6] == [
        "<BaseDataElement(",
        "META INFORMATION",
        "img_shape: (800, 1196, 3)",
        "DATA FIELDS",
        "gt_instances: <BaseDataElement(",
        "META INFORMATION",
    ]
    assert lines[8] == "det_labels: tensor([0, 1, 2, 3])"
    assert lines[9] == f") at {id(inner):#x}>"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"metainfo": {"id": 2}}, False),
        ({"scores": torch.tensor([1.0, 3.0])}, False),
        ({"scores": torch.tensor([1, 2])}, False),
        ({"names": ["a", torch.zeros(1)]}, False),
        ({"inner": BaseDataElement(points=np.array([1, 3]))}, False),
    ],
)
def test_comparison(change: dict[str, Any], same: bool) -> None:
    def element(**change: Any) -> BaseDataElement:
        fields = {
            "metainfo": {"id": 1, "scale": np.ones(2)},
            "scores": torch.tensor([1.0, 2.0]),
            "names": ["a", torch.ones(1)],
            "inner": BaseDataElement(points=np.array([1, 2])),
            "table": {"x": (1, 2)},
        }
        return BaseDataElement(**{**fields, **change})

    assert (element() == element(**change)) is same
    assert (element(**change) == element()) is same
    assert element() != Sample()
    assert len({element(), element()}) == 2


def test_a_shallow_copy_has_fields_of_its_own() -> None:
    element = BaseDataElement(metainfo={"a": 1}, b=torch.ones(2))
    other = copy.copy(element)
    other.c = 3
    del other.b
    assert element.keys() == ["b"]
    assert other.keys() == ["c"]


def test_a_clone_of_a_prediction_stays_in_its_graph() -> None:
    weight = torch.ones(1, requires_grad=True)
    clone = BaseDataElement(scores=weight * 2, names=["x"]).clone()
    clone.scores.sum().backward()
    assert weight.grad is not None
    assert clone.names == ["x"]


def test_types_of_others_are_converted_by_their_methods() -> None:
    class Boxes:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.tensor = tensor

        def to(self, *args: Any, **kwargs: Any) -> Boxes:
            return Boxes(self.tensor.to(*args, **kwargs))

    element = BaseDataElement(boxes=Boxes(torch.ones(1)), name="x").to(torch.float64)
    assert element.boxes.tensor.dtype is torch.float64
    assert element.name == "x"


def test_nothing_is_half_set(element: BaseDataElement) -> None:
    with pytest.raises(AttributeError, match="img_shape"):
        element.set_data({"scores": 1, "extra": 2, "img_shape": 3})
    with pytest.raises(AttributeError, match="scores"):
        element.set_metainfo({"img_shape": (0, 0), "extra": 2, "scores": 3})
    with pytest.raises(AttributeError, match="img_shape"):
        element.update(BaseDataElement(metainfo={"extra": 1}, img_shape=1))
    assert element.all_keys() == ["img_shape", "scores", "inner"]
    assert element.img_shape == (4, 6)
    assert element.scores.shape == (3,)


def test_a_missing_field_names_those_that_there_are(element: BaseDataElement) -> None:
    with pytest.raises(AttributeError) as caught:
        _ = element.ori_shape
    assert str(caught.value) == (
        "'BaseDataElement' object has no attribute 'ori_shape'; it has metainfo: img_shape; "
        "data: scores, inner"
    )
    assert not hasattr(element, "ori_shape")
    with pytest.raises(AttributeError, match="it has no fields"):
        _ = BaseDataElement().boxes
    with pytest.raises(AttributeError, match=r"no attribute '__array__'$"):
        _ = element.__array__


def test_an_error_in_a_property_keeps_its_message() -> None:
    class Sample(BaseDataElement):
        @property
        def gt(self) -> Any:
            return self._gt

        @property
        def broken(self) -> Any:
            return (1).missing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'Sample' object has no attribute '_gt'; it has no"):
        _ = Sample().gt
    with pytest.raises(AttributeError, match="'int' object has no attribute 'missing'"):
        _ = Sample().broken
    assert pickle.loads(pickle.dumps(BaseDataElement(x=1))).x == 1
    assert copy.deepcopy(BaseDataElement(x=1)).x == 1


def test_bad_names_and_arguments(element: BaseDataElement) -> None:
    with pytest.raises(AttributeError, match="'keys' is a method of BaseDataElement"):
        element.keys = 1
    with pytest.raises(AttributeError, match="'to' is a method"):
        BaseDataElement(metainfo={"to": 1})
    with pytest.raises(TypeError, match="a name and an optional default, not 3"):
        element.pop("scores", 1, 2)
    with pytest.raises(ValueError, match="'data' or 'metainfo', not 'other'"):
        element.set_field(1, "x", field_type="other")
    with pytest.raises(TypeError, match="must be a BaseDataElement, not dict"):
        element.update({})  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        del element._metainfo_fields


@pytest.mark.parametrize("device", ["npu", "mlu", "musa"])
def test_a_move_to_a_device_of_an_extension_reaches_nested_tensors(monkeypatch, device):
    # The extension of torch for the device gives tensors such a method.
    monkeypatch.setattr(torch.Tensor, device, lambda self: self + 1, raising=False)
    element = BaseDataElement(a=torch.zeros(1), b=BaseDataElement(c=torch.ones(1)), d="text")
    moved = getattr(element, device)()
    assert (float(moved.a), float(moved.b.c), moved.d) == (1, 2, "text")
    assert float(element.a) == 0
