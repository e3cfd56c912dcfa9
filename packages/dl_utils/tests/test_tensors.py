import warnings

import pytest
import torch

from eng.dl_utils import TORCH_VERSION, TimeCounter, is_jit_tracing, tensor2imgs, torch_meshgrid


def test_images_come_back():
    images = torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1, 1)
    assert tensor2imgs(images)[0].tolist() == [[[30, 20, 10]]]
    rgb = tensor2imgs(images / 10, mean=(1, 2, 3), std=(10, 10, 100), to_bgr=False)
    assert rgb[0].tolist() == [[[11, 22, 255]]]
    gray = tensor2imgs(torch.tensor([[[[-5.0, 300.0]]]]), to_bgr=False)
    assert gray[0].tolist() == [[0, 255]]
    assert (len(gray), gray[0].dtype.name, gray[0].flags["C_CONTIGUOUS"]) == (1, "uint8", True)
    with pytest.raises(ValueError, match=r"shape \(N, 1 or 3, H, W\), not \(3, 1, 1\)"):
        tensor2imgs(images[0])
    with pytest.raises(ValueError, match=r"must have 3 value\(s\) each, not 1 and 3"):
        tensor2imgs(images, mean=(1,))
    with pytest.raises(ValueError, match="to_bgr must be False"):
        tensor2imgs(torch.zeros(1, 1, 2, 2))


def test_tracing_is_seen():
    seen = []

    def f(x):
        seen.append(is_jit_tracing())
        return x + 1

    f(torch.ones(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(f, torch.ones(1), check_trace=False)
    assert seen == [False, True]


def test_meshgrid_is_of_matrix_indices():
    rows, columns = torch_meshgrid(torch.arange(2), torch.arange(3))
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert columns.tolist() == [[0, 1, 2], [0, 1, 2]]


def test_the_version_is_that_of_torch():
    assert torch.__version__ == TORCH_VERSION


@pytest.mark.parametrize(
    "call",
    [
        lambda: tensor2imgs(torch.zeros(3, 2, 2)),
        lambda: tensor2imgs(torch.zeros(1, 3, 2, 2), mean=(0, 0)),
        lambda: tensor2imgs(torch.zeros(1, 1, 2, 2), to_bgr=True),
        lambda: TimeCounter(log_interval=0),
        lambda: TimeCounter(warmup_interval=-1),
        lambda: TimeCounter().__enter__(),
    ],
)
def test_errors_of_arguments_have_two_parents(call):
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind):
            call()
