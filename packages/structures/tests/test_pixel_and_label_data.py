"""Pixels and labels."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.structures import LabelData, PixelData


def test_the_documented_example() -> None:
    metainfo = {
        "img_id": random.randint(0, 100),
        "img_shape": (random.randint(400, 600), random.randint(400, 600)),
    }
    pixels = PixelData(
        metainfo=metainfo,
        image=np.random.randint(0, 255, (4, 20, 40)),
        featmap=torch.randint(0, 255, (10, 20, 40)),
    )
    assert pixels.shape == (20, 40)
    assert pixels[10:20, 20:40].shape == (10, 20)
    assert pixels[10, 20].shape == (1, 1)
    assert pixels[10, 20].metainfo == metainfo
    pixels.map3 = torch.randint(0, 255, (20, 40))
    assert tuple(pixels.map3.shape) == (1, 20, 40)
    with pytest.raises(AssertionError, match=r"'map2'.*not \(1, 3, 20, 40\)"):
        pixels.map2 = torch.randint(0, 255, (1, 3, 20, 40))
    assert "featmap" in str(pixels)


@given(st.data())
@settings(deadline=None)
def test_a_part_is_that_of_every_field(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    image = torch.arange(2 * height * width).reshape(2, height, width)
    pixels = PixelData(image=image, mask=image[0].numpy())

    def index(length: int) -> tuple[Any, slice]:
        """An index, and what it should mean."""
        if data.draw(st.booleans()):
            number = data.draw(st.integers(-length, length - 1))
            return number, slice(number % length, number % length + 1)
        window = data.draw(st.slices(length).filter(lambda s: s.step is None or s.step > 0))
        return window, window

    (row, rows), (column, columns) = index(height), index(width)
    part = pixels[row, column]
    assert torch.equal(part.image, image[:, rows, columns])
    assert np.array_equal(part.mask, image[:1, rows, columns].numpy())


def test_bad_pixels() -> None:
    pixels = PixelData(image=torch.ones(3, 4, 5))
    words = r"'mask' of PixelData has height and width \(4, 6\) .*'image' has \(4, 5\)"
    with pytest.raises(AssertionError, match=words):
        pixels.mask = np.ones((4, 6))
    with pytest.raises(AssertionError, match="a tensor or an array, not <class 'list'>"):
        pixels.mask = [[1]]
    assert pixels.keys() == ["image"]
    with pytest.raises(TypeError, match="rows and columns"):
        pixels[1]
    with pytest.raises(
        TypeError,
        match="invalid column index of PixelData: expected an integer or a slice, not list",
    ):
        pixels[1, [2]]
    with pytest.raises(IndexError, match="row index 4 is out of bounds for PixelData with 4 rows"):
        pixels[4, 0]
    assert PixelData().shape is None
    assert PixelData()[0, 0].shape is None
    pixels.image = torch.ones(1, 9, 9)  # alone, it may change
    assert pixels.shape == (9, 9)


@given(st.data())
@settings(deadline=None)
def test_labels_to_onehot_and_back(data: st.DataObject) -> None:
    classes = data.draw(st.integers(1, 10))
    labels = sorted(data.draw(st.sets(st.integers(0, classes - 1))))
    onehot = LabelData.label_to_onehot(torch.tensor(labels, dtype=torch.int32), classes)
    assert onehot.dtype is torch.int32
    assert onehot.tolist() == [int(i in labels) for i in range(classes)]
    assert LabelData.onehot_to_label(onehot).tolist() == labels


def test_a_single_label() -> None:
    assert LabelData.label_to_onehot(torch.tensor(1), 3).tolist() == [0, 1, 0]
    assert LabelData(metainfo={"id": 1}, label=torch.tensor(1)).id == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: LabelData.label_to_onehot(torch.tensor([3]), 3), ValueError, r"=3, not \[3\]"),
        (lambda: LabelData.label_to_onehot(torch.tensor([-1]), 3), ValueError, r"not \[-1\]"),
        (lambda: LabelData.label_to_onehot(torch.ones(1), 3), TypeError, "torch.float32"),
        (lambda: LabelData.label_to_onehot([1], 3), TypeError, "must be a tensor, not list"),
        (lambda: LabelData.label_to_onehot(torch.tensor([[1]]), 3), ValueError, "one dimension"),
        (lambda: LabelData.onehot_to_label(torch.tensor([[1]])), ValueError, r"shape \(1, 1\)"),
        (lambda: LabelData.onehot_to_label(torch.tensor([2])), ValueError, "ones and zeros"),
        (lambda: LabelData.onehot_to_label([1]), TypeError, "must be a tensor, not list"),
    ],
)
def test_bad_labels(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
