"""Copy batches to a device ahead of their use."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest
import torch

from eng.dataset import prefetch_to_device

Pair = namedtuple("Pair", ["image", "name"])
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_on_the_cpu_nothing_is_copied_or_read_ahead():
    read = []

    def batches():
        for number in range(3):
            read.append(number)
            yield torch.full((2,), float(number))

    for number, batch in enumerate(prefetch_to_device(batches(), "cpu")):
        assert read == list(range(number + 1))
        assert batch.tolist() == [number, number]


def test_an_error_of_the_data_is_raised():
    def batches():
        yield torch.zeros(1)
        raise OSError("image 7 cannot be read")

    with pytest.raises(OSError, match="image 7"):
        list(prefetch_to_device(batches(), "cuda" if torch.cuda.is_available() else "cpu"))


@on_gpu
def test_any_nesting_reaches_the_gpu():
    batch = OrderedDict(
        inputs=[torch.arange(4).pin_memory(), torch.ones(2, 2)],
        pair=Pair(torch.zeros(3), "cat"),
        names=("a", None, 3),
    )
    (found,) = prefetch_to_device([batch], "cuda")
    assert found["inputs"][0].is_cuda
    assert found["inputs"][0].tolist() == [0, 1, 2, 3]
    assert found["inputs"][1].sum() == 4
    assert isinstance(found["pair"], Pair)
    assert (found["pair"].image.is_cuda, found["pair"].name) == (True, "cat")
    assert found["names"] == ("a", None, 3)


@on_gpu
def test_batches_are_in_order_and_whole_while_the_gpu_is_busy():
    shape = (64, 3, 64, 64)
    weight = torch.randn(2048, 2048, device="cuda")
    sums = []
    batches = (torch.full(shape, float(number)).pin_memory() for number in range(50))
    for batch in prefetch_to_device(batches, "cuda"):
        for _ in range(10):  # keeps the stream of the step behind
            weight = weight @ weight / weight.norm()
        sums.append((batch.double().sum(), batch * 1))
        del batch
    size = torch.tensor(shape).prod().item()
    for number, (total, copy) in enumerate(sums):
        assert total.item() == number * size
        assert (copy == number).all()
