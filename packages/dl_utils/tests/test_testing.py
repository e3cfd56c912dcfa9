"""Comparisons for tests."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from eng.dl_utils.testing import (
    assert_allclose,
    assert_attrs_equal,
    assert_dict_contains_subset,
    assert_dict_has_keys,
    assert_is_norm_layer,
    assert_keys_equal,
    assert_params_all_zeros,
    check_python_script,
)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        ([1, 2], np.array([1.0, 2.0])),
        (torch.ones(2), [1 + 1e-5, 1]),
        (torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.float64)),
        ([torch.tensor(1.0), torch.tensor(2.0)], (1, 2)),
        (np.float32(1), torch.tensor(1)),
        (float("nan"), float("nan")),
        (torch.ones(2, 3).t(), torch.ones(3, 2)),
        ([], []),
    ],
)
def test_close_values_pass(actual, expected):
    assert_allclose(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "settings"),
    [
        (1, 1.1, {}),
        (torch.ones(2), [1.001, 1], {}),
        ([1, 2], [1, 2, 3], {}),
        (1.0, 1.1, {"rtol": 0.01, "atol": 0}),
        (float("nan"), float("nan"), {"equal_nan": False}),
        (float("nan"), 1.0, {}),
    ],
)
def test_other_values_fail(actual, expected, settings):
    with pytest.raises(AssertionError):
        assert_allclose(actual, expected, **settings)
    with pytest.raises(AssertionError, match="my text"):
        assert_allclose(actual, expected, **settings, msg="my text")


def test_tolerances_are_those_given():
    assert_allclose(1.0, 1.1, rtol=0, atol=0.11)
    assert_allclose(torch.tensor(1.0), torch.tensor(1.00005))
    with pytest.raises(AssertionError):
        assert_allclose(torch.tensor(1.0), torch.tensor(1.0002))


def test_dicts_and_attributes_are_compared_with_arrays_as_wholes():
    found = {"a": 1, "b": np.arange(3), "c": torch.ones(2), "d": [torch.ones(1), "x"], "e": None}
    assert assert_dict_contains_subset(found, {"a": 1, "b": np.arange(3), "c": torch.ones(2)})
    assert assert_dict_contains_subset(found, {"d": [torch.ones(1), "x"], "e": None})
    assert assert_dict_contains_subset(found, {})
    for wrong in (
        {"b": np.arange(4)}, {"b": np.zeros(3)}, {"c": torch.zeros(2)}, {"c": None}, {"z": None},
        {"a": 2}, {"d": [torch.zeros(1), "x"]}, {"e": torch.ones(1)},
    ):  # fmt: skip
        assert assert_dict_contains_subset(found, wrong) is False
    layer = nn.Linear(2, 1)
    assert assert_attrs_equal(layer, {"in_features": 2, "weight": layer.weight.clone()})
    assert assert_attrs_equal(layer, {"in_features": 3}) is False
    assert assert_attrs_equal(layer, {"nope": None}) is False


def test_keys_are_compared_in_any_order():
    assert assert_dict_has_keys({"a": 1, "b": 2}, ["b"])
    assert assert_dict_has_keys({"a": 1}, ["a", "b"]) is False
    assert assert_keys_equal(["a", "b"], ("b", "a"))
    assert assert_keys_equal({"a": 1}.keys(), ["a", "b"]) is False


def test_modules_are_asked_for_norms_and_zeros():
    for norm in (nn.BatchNorm2d(2), nn.SyncBatchNorm(2), nn.InstanceNorm1d(2), nn.LayerNorm(2)):
        assert assert_is_norm_layer(norm)
    assert assert_is_norm_layer(nn.GroupNorm(1, 2))
    assert assert_is_norm_layer(nn.Linear(2, 2)) is False
    layer = nn.Linear(2, 2)
    assert assert_params_all_zeros(layer) is False
    nn.init.zeros_(layer.weight)
    nn.init.ones_(layer.bias)
    assert assert_params_all_zeros(layer) is False
    nn.init.zeros_(layer.bias)
    assert assert_params_all_zeros(layer)
    assert assert_params_all_zeros(nn.Conv2d(1, 1, 1, bias=False).requires_grad_(False)) is False


def test_a_script_runs_with_its_own_arguments(tmp_path, capsys):
    script = tmp_path / "my tool.py"
    script.write_text(
        "import sys\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:])\n"
        "    sys.exit(len(sys.argv) - 1) if 'exit' in sys.argv else None\n"
    )
    before = list(sys.argv)
    check_python_script(f"'{script}' a 'b c' --d=1")
    assert capsys.readouterr().out == "['a', 'b c', '--d=1']\n"
    with pytest.raises(SystemExit) as raised:
        check_python_script(f"python '{script}' exit")
    assert raised.value.code == 1
    assert sys.argv == before
