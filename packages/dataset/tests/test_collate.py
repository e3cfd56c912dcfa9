"""From samples to batches."""

from collections import namedtuple

import numpy as np
import pytest
import torch

from eng.dataset import COLLATE_FUNCTIONS, default_collate, pseudo_collate
from eng.registry import FUNCTIONS
from eng.structures import InstanceData

Pair = namedtuple("Pair", "image label")


def test_pseudo_collate_turns_samples_inside_out():
    samples = [{"inputs": torch.full((2,), i), "meta": Pair(i, [str(i), None])} for i in range(3)]
    out = pseudo_collate(samples)
    assert [t[0].item() for t in out["inputs"]] == [0, 1, 2]
    assert out["meta"] == Pair([0, 1, 2], [["0", "1", "2"], [None, None, None]])
    assert pseudo_collate([(1, "a"), (2, "b")]) == ([1, 2], ["a", "b"])
    assert pseudo_collate(["ab", "cd"]) == ["ab", "cd"]


def test_default_collate_stacks_what_it_can():
    marker = object()
    samples = [
        {
            "t": torch.full((2,), i),
            "a": np.ones(2) * i,
            "n": i,
            "f": i / 2,
            "s": "x",
            "o": marker,
            "none": None,
        }
        for i in range(3)
    ]
    out = default_collate(samples)
    assert out["t"].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert out["a"].shape == (3, 2)
    assert out["n"].tolist() == [0, 1, 2]
    assert out["f"].tolist() == [0, 0.5, 1]
    assert (out["s"], out["o"], out["none"]) == (["x"] * 3, [marker] * 3, [None] * 3)
    images, labels = default_collate([(torch.zeros(2), 1), (torch.ones(2), 2)])
    assert images.shape == (2, 2)
    assert labels.tolist() == [1, 2]


@pytest.mark.parametrize("collate", [pseudo_collate, default_collate])
def test_samples_of_different_lengths(collate):
    with pytest.raises(ValueError, match=r"same number of elements, not \[1, 2\]"):
        collate([{"boxes": [1, 2]}, {"boxes": [1]}])
    assert FUNCTIONS.get(collate.__name__) is collate


@pytest.mark.parametrize("collate", [pseudo_collate, default_collate])
def test_data_elements_stay_as_they_are(collate):
    elements = [InstanceData(scores=torch.ones(i)) for i in range(2)]
    batch = collate([{"data_samples": element, "inputs": 1} for element in elements])
    assert all(a is b for a, b in zip(batch["data_samples"], elements, strict=True))


@pytest.mark.parametrize("collate", [pseudo_collate, default_collate])
def test_a_sample_that_lacks_a_key(collate):
    with pytest.raises(KeyError, match=r"missing key .*b.* in sample 1 .*; it has \['a'\]"):
        collate([{"a": 1, "b": 2}, {"a": 1}])


def test_functions_of_collation_are_in_the_registry_of_functions():
    assert COLLATE_FUNCTIONS is FUNCTIONS
    for name in ("pseudo_collate", "default_collate"):
        assert COLLATE_FUNCTIONS.get(name) is FUNCTIONS.get(name) is not None
