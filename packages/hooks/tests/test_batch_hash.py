"""Hashes of batches."""

import numpy as np
import pytest
import torch

from eng.hooks.batch_hash import find_sample_indices, hash_batch
from eng.structures import BaseDataElement

BATCH = {"inputs": torch.arange(6.0).reshape(2, 3), "data_samples": [{"label": 1}, ("a", None)]}


def change(**fields):
    return {**BATCH, **fields}


@pytest.mark.parametrize(
    "other",
    [
        change(inputs=torch.arange(6.0).reshape(3, 2)),
        change(inputs=torch.arange(6.0).double().reshape(2, 3)),
        change(inputs=np.arange(6.0).reshape(2, 3)),
        change(inputs=torch.nextafter(BATCH["inputs"], torch.tensor(9.0))),
        change(data_samples=[{"label": 2}, ("a", None)]),
        change(data_samples=[{"label": True}, ("a", None)]),
        change(data_samples=[("a", None), {"label": 1}]),
        change(data_samples=[{"label": 1}, ("b", None)]),
        change(more=0),
        BATCH["inputs"],
    ],
)
def test_any_change_of_the_content_shows(other):
    assert hash_batch(other) != hash_batch(BATCH)


def test_equal_content_has_equal_hashes():
    inputs = torch.empty(3, 2).t().copy_(BATCH["inputs"])  # another layout
    assert not inputs.is_contiguous()
    assert hash_batch(change(inputs=inputs)) == hash_batch(BATCH)
    assert len(hash_batch(BATCH)) == 16


def test_any_kind_of_value():
    kinds = [
        torch.ones(2, dtype=torch.bfloat16),
        torch.tensor([True, False]),
        torch.tensor(3),
        torch.ones(0),
        torch.ones(2, 2).to_sparse(),
        torch.ones(1, dtype=torch.complex64),
        torch.ones(2, requires_grad=True),
        np.array(["a", None], dtype=object),
        np.array(["a"]),
        np.float32(1),
        b"x",
        object(),
        None,
    ]
    assert len({hash_batch(each) for each in kinds}) == len(kinds)
    assert hash_batch(object()) == hash_batch(object())  # addresses do not count


def test_metainfo_of_elements_does_not_count():
    elements = [
        BaseDataElement(metainfo={"img_path": path, "sample_idx": 7}, label=torch.tensor(1))
        for path in ("a/1.png", "b/1.png")
    ]
    assert hash_batch(elements[0]) == hash_batch(elements[1])
    elements[1].label = torch.tensor(2)
    assert hash_batch(elements[0]) != hash_batch(elements[1])
    assert find_sample_indices({"inputs": [], "data_samples": elements}) == [7, 7]
    assert find_sample_indices(elements) == [7, 7]
    assert find_sample_indices({"inputs": []}) == find_sample_indices(torch.ones(2)) == []
