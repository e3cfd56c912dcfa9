from collections import OrderedDict, UserDict, defaultdict, namedtuple

import pytest
import torch

from eng import dist
from eng.dist import cast_data_device, get_comm_device, get_data_device

Pair = namedtuple("Pair", "first second")


def nested():
    return {
        "list": [torch.zeros(2), (torch.ones(1, dtype=torch.int8),)],
        "pair": Pair(torch.ones(2, 3).t(), torch.empty(0)),
        "ordered": OrderedDict(b=torch.tensor(1.0), a=torch.tensor(2)),
    }


def test_nested_data_moves_and_keeps_its_structure():
    moved = cast_data_device(nested(), "meta")
    assert get_data_device(moved).type == "meta"
    assert type(moved["list"][1]) is tuple
    assert type(moved["pair"]) is Pair
    assert list(moved["ordered"]) == ["b", "a"]
    assert type(moved["ordered"]) is OrderedDict
    assert moved["pair"].first.shape == (3, 2)
    assert moved["list"][1][0].dtype is torch.int8


def test_tensors_that_are_there_are_not_copied():
    data = nested()
    assert cast_data_device(data, torch.device("cpu"))["list"][0] is data["list"][0]


def test_out_receives_the_values():
    data = {"a": torch.arange(3), "b": [torch.ones(2)]}
    out = {"a": torch.zeros(3, dtype=torch.int64), "b": [torch.zeros(2)]}
    cast_data_device(data, "cpu", out=out)
    assert out["a"].tolist() == [0, 1, 2]
    assert out["b"][0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("data", "out", "kind", "message"),
    [
        ("text", None, TypeError, "data must be a tensor .* not str"),
        ({"a": [1]}, None, TypeError, r"data\['a'\]\[0\] must be a tensor .* not int"),
        ([torch.ones(2)], [torch.ones(3)], ValueError, r"match data\[0\]: .*\(2,\), not .*\(3,\)"),
        ([torch.ones(1)], [], ValueError, "a sequence of 1 items, not list"),
        (torch.ones(1), [torch.ones(1)], TypeError, "a tensor of shape"),
        ({"a": torch.ones(1)}, {"b": torch.ones(1)}, ValueError, r"keys \['a'\], not dict"),
    ],
)
def test_what_does_not_fit_is_named(data, out, kind, message):
    with pytest.raises(kind, match=message):
        cast_data_device(data, "cpu", out=out)


def test_the_device_of_data():
    assert get_comm_device().type == "cpu"
    assert get_data_device(nested()).type == "cpu"
    with pytest.raises(ValueError, match=r"\['cpu', 'meta'\]"):
        get_data_device([torch.ones(1), torch.ones(1, device="meta")])
    with pytest.raises(ValueError, match="an empty list has no device"):
        get_data_device([])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: dist.broadcast_object_list("text"), TypeError),
        (lambda: dist.all_reduce_dict([1]), TypeError),
        (lambda: dist.collect_results([1], 1, device="gpu", tmpdir="x"), ValueError),
    ],
)
def test_errors_of_arguments_have_two_parents(call, error):
    for kind in (error, AssertionError):
        with pytest.raises(kind):
            call()


def test_an_unknown_device_to_collect_on_is_not_implemented_either():
    for kind in (ValueError, NotImplementedError):
        with pytest.raises(kind, match="expected one of"):
            dist.collect_results([1], 1, device="tpu")


@pytest.mark.parametrize("kind", [OrderedDict, UserDict, lambda x: defaultdict(list, x)])
def test_mappings_keep_their_type(kind):
    data = kind({"a": torch.tensor(1.0), "b": [torch.tensor(2)]})
    moved = cast_data_device(data, "meta")
    assert type(moved) is type(data)
    assert moved["a"].device.type == moved["b"][0].device.type == "meta"
    assert data["a"].device.type == "cpu"
    if isinstance(moved, defaultdict):
        assert moved["c"] == []
        assert "c" not in data
