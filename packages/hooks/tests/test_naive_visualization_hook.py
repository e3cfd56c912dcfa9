"""What the hook asks of a visualizer that only takes notes."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from eng.dist.testing import run_in_processes
from eng.hooks import NaiveVisualizationHook
from eng.registry import HOOKS

sys.path.insert(0, str(Path(__file__).parent))
import hooks_cases


class Recorder:
    """A visualizer that takes notes instead of drawing."""

    def __init__(self):
        self.calls = []

    def add_datasample(
        self,
        name,
        image,
        data_sample=None,
        draw_gt=True,
        draw_pred=True,
        show=False,
        wait_time=0,
        step=0,
    ):
        assert not show
        self.calls.append(
            SimpleNamespace(
                name=name,
                image=image,
                sample=data_sample,
                draw_gt=draw_gt,
                draw_pred=draw_pred,
                step=step,
            )
        )


@pytest.fixture
def runner():
    return SimpleNamespace(visualizer=Recorder())


def bytes_image(height=4, width=5, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=generator)


def drawn(image, sample=None):
    """The image that the visualizer gets for an input."""
    runner = SimpleNamespace(visualizer=Recorder())
    NaiveVisualizationHook().after_test_iter(runner, 0, {"inputs": [image]}, [sample])
    (call,) = runner.visualizer.calls
    assert call.image.dtype == np.uint8
    assert call.image.ndim == 3
    return call.image


def test_each_sample_is_drawn_on_its_image(runner):
    images = [bytes_image(seed=0), bytes_image(6, 7, seed=1)]
    samples = [{"img_path": "data/val/cat.jpg", "label": 3}, {"label": 4}]
    hook = HOOKS.build({"type": "NaiveVisualizationHook", "draw_gt": False})
    hook.after_test_iter(runner, 2, {"inputs": images, "data_samples": samples}, samples)
    first, second = runner.visualizer.calls
    assert (first.name, second.name) == ("cat.jpg", "test_2_1")
    assert (first.step, first.draw_gt, first.draw_pred) == (2, False, True)
    assert first.sample is samples[0]
    assert second.sample is samples[1]
    for call, image in zip(runner.visualizer.calls, images, strict=True):
        np.testing.assert_array_equal(call.image, image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize(
    ("interval", "batches"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), (5, [4]), (0, [])]
)
def test_only_each_nth_batch_is_drawn(runner, interval, batches):
    hook = NaiveVisualizationHook(interval)
    for index in range(5):
        hook.after_test_iter(runner, index, {"inputs": [bytes_image()]}, [None])
    assert [call.step for call in runner.visualizer.calls] == batches


@pytest.mark.parametrize(
    "form",
    [
        lambda images: {"inputs": images},
        lambda images: {"inputs": torch.stack(images)},
        lambda images: [{"inputs": image} for image in images],
        lambda images: (torch.stack(images), torch.zeros(2)),
        lambda images: [images, [0, 1]],
        lambda images: {"inputs": [image.numpy() for image in images]},
    ],
)
def test_batches_of_every_form_have_images(runner, form):
    images = [bytes_image(seed=0), bytes_image(seed=1)]
    NaiveVisualizationHook().after_test_iter(runner, 0, form(images), ["a", "b"])
    assert [call.sample for call in runner.visualizer.calls] == ["a", "b"]
    for call, image in zip(runner.visualizer.calls, images, strict=True):
        np.testing.assert_array_equal(call.image, image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("form", [lambda image: image, lambda image: image[None], lambda i: [i]])
def test_a_batch_of_one(runner, form):
    image = bytes_image()
    batch = {"inputs": form(image)}
    NaiveVisualizationHook().after_test_iter(runner, 0, batch, ["sample"])
    (call,) = runner.visualizer.calls
    assert np.array_equal(call.image, image.permute(1, 2, 0).numpy())
    assert call.sample == "sample"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normalizing_is_undone(dtype):
    image = bytes_image()
    mean, std = [123.7, 116.3, 103.5], [58.4, 57.1, 57.4]
    as_column = torch.tensor([mean, std], dtype=dtype)[:, :, None, None]
    normalized = (image.to(dtype) - as_column[0]) / as_column[1]
    shown = drawn(normalized, {"img_norm_cfg": {"mean": mean, "std": std}})
    np.testing.assert_array_equal(shown, image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_numbers_of_an_unknown_scale_are_stretched(dtype):
    image = torch.tensor([[[-1.0, 0.0, 1.0]]], dtype=dtype)
    assert drawn(image).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]
    assert drawn(torch.full((3, 1, 1), 0.5, dtype=dtype)).tolist() == [[[0] * 3]]


def test_padding_is_cut_off_and_the_size_is_the_original_one():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    image[:, :4, :6] = 200
    sample = {"img_shape": (4, 6, 3), "ori_shape": (8, 12)}
    shown = drawn(image, sample)
    assert shown.shape == (8, 12, 3)
    assert (shown == 200).all()
    np.testing.assert_array_equal(drawn(image, {"ori_shape": (8, 8)}), image.permute(1, 2, 0))


def test_grey_images_have_three_equal_channels():
    image = bytes_image(channels=1)
    np.testing.assert_array_equal(drawn(image), np.dstack([image[0].numpy()] * 3))


def test_numbers_beyond_bytes_are_held_within_them():
    assert drawn(torch.tensor([[[-5, 300]]])).tolist() == [[[0] * 3, [255] * 3]]


def test_without_a_batch_or_outputs(runner):
    hook = NaiveVisualizationHook()
    hook.after_test_iter(runner, 0)
    assert not runner.visualizer.calls
    hook.after_test_iter(runner, 0, {"inputs": [bytes_image()]})
    assert runner.visualizer.calls[0].sample is None


@pytest.mark.parametrize(
    ("batch", "outputs", "fault"),
    [
        ({"inputs": [bytes_image()] * 3}, [None], "batch 4 has 3 images, and the model returned 1"),
        ({"img": [bytes_image()]}, [None], r"missing key 'inputs' .* keys are \['img'\]"),
        ({"inputs": torch.zeros(1, 7)}, [None], r"not \(7,\)"),
        ({"inputs": torch.zeros(1, 4, 2, 2)}, [None], r"not \(4, 2, 2\)"),
        ({"inputs": ["text"]}, [None], "not str"),
    ],
)
def test_what_cannot_be_drawn_is_told(runner, batch, outputs, fault):
    with pytest.raises(ValueError, match=fault):
        NaiveVisualizationHook().after_test_iter(runner, 4, batch, outputs)


def test_only_the_first_process_draws():
    assert run_in_processes(hooks_cases.names_drawn, 2) == [["test_0_0"], []]


def test_the_visualizer_is_given_the_model_before_training():
    graphs = []
    visualizer = SimpleNamespace(add_graph=lambda *args: graphs.append(args))
    NaiveVisualizationHook().before_train(SimpleNamespace(visualizer=visualizer, model="a model"))
    assert graphs == [("a model", None)]
