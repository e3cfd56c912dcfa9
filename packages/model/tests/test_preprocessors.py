import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from eng.model import (
    BaseDataPreprocessor,
    BaseModel,
    BaseTTAModel,
    ImgDataPreprocessor,
    stack_batch,
)
from eng.optim import OptimWrapper
from eng.registry import MODELS

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
sizes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)


def image(height=4, width=5, channels=3, seed=0, dtype=torch.uint8):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (channels, height, width), generator=generator).to(dtype)


# ------------------------------------------------------------------ stack_batch


@given(sizes=sizes, divisor=st.integers(-1, 4), value=st.floats(-3, 3, width=32))
@settings(deadline=None)
def test_stacked_tensors_are_padded_at_the_right_and_the_bottom(sizes, divisor, value):
    tensors = [torch.rand(2, *size) for size in sizes]
    batch = stack_batch(tensors, divisor, value)
    up = max(divisor, 1)
    height, width = (-(-max(each) // up) * up for each in zip(*sizes, strict=True))
    assert batch.shape == (len(sizes), 2, height, width)
    for tensor, padded in zip(tensors, batch, strict=True):
        _, h, w = tensor.shape
        assert torch.equal(padded[:, :h, :w], tensor)
        assert (padded[:, h:] == value).all()
        assert (padded[:, :, w:] == value).all()


def test_any_number_of_dimensions_is_stacked():
    assert stack_batch([torch.ones(1, 2, 3, 4), torch.ones(1, 3, 2, 5)], 2).shape == (2, 1, 4, 4, 6)
    assert stack_batch([torch.ones(4), torch.ones(4)]).shape == (2, 4)
    assert stack_batch([image()]).dtype is torch.uint8


@pytest.mark.parametrize(
    ("tensors", "error", "match"),
    [
        (torch.ones(2, 3, 4, 4), TypeError, "a list of tensors, not Tensor"),
        ([], ValueError, "empty"),
        ([image(), "x"], TypeError, r"tensor_list\[1\] must be a tensor, not str"),
        (
            [image(), image(), image(channels=1)],
            ValueError,
            r"tensor_list\[0\] has shape \(3, 4, 5\), tensor_list\[2\] has \(1, 4, 5\)",
        ),
        ([image(), image()[0]], ValueError, r"tensor_list\[1\] has \(4, 5\)"),
    ],
)
def test_bad_tensors(tensors, error, match):
    with pytest.raises(error, match=match):
        stack_batch(tensors)


# ------------------------------------------------------------------ images


def plain(picture, mean=MEAN, std=STD, swap=False):
    picture = picture[[2, 1, 0]] if swap else picture
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (mean, std))
    return (picture.float() - mean) / std


@pytest.mark.parametrize("swap", [{}, {"bgr_to_rgb": True}, {"rgb_to_bgr": True}])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.int64])
@pytest.mark.parametrize("alike", [True, False])
def test_images_are_swapped_normalised_padded_and_stacked(swap, dtype, alike):
    images = [image(4, 5, seed=1, dtype=dtype), image(4, 5 if alike else 7, seed=2, dtype=dtype)]
    kept = [each.clone() for each in images]
    preprocess = ImgDataPreprocessor(MEAN, STD, pad_size_divisor=4, pad_value=-1.5, **swap)
    out = preprocess({"inputs": images, "data_samples": ["a", "b"]})
    assert out["data_samples"] == ["a", "b"]
    assert out["inputs"].dtype is torch.float32
    wanted = [plain(each, swap=bool(swap)) for each in images]
    wanted = torch.stack(
        [functional.pad(w, (0, 8 - w.shape[2], 0, 4 - w.shape[1]), value=-1.5) for w in wanted]
    )
    assert torch.equal(out["inputs"], wanted)
    assert all(torch.equal(a, b) for a, b in zip(images, kept, strict=True))
    if alike:
        whole = torch.stack(images)
        again = preprocess({"inputs": whole})
        assert torch.equal(again["inputs"], wanted)
        assert again["data_samples"] is None
        assert torch.equal(whole, torch.stack(kept))


def test_without_statistics_images_become_floats():
    out = ImgDataPreprocessor(pad_size_divisor=2)({"inputs": [image(3, 3)]}, True)
    assert out["inputs"].shape == (1, 3, 4, 4)
    assert torch.equal(out["inputs"][0, :, :3, :3], image(3, 3).float())


def test_grey_images_many_channels_and_one_value_for_all():
    grey = image(channels=1)
    assert torch.equal(
        ImgDataPreprocessor([127.5], [2.0])({"inputs": [grey]})["inputs"][0],
        plain(grey, [127.5], [2.0]),
    )
    spectral = image(channels=6)
    assert torch.equal(
        ImgDataPreprocessor(list(range(6)), [2.0])({"inputs": [spectral]})["inputs"][0],
        plain(spectral, [0.0, 1, 2, 3, 4, 5], [2.0]),
    )
    assert torch.equal(
        ImgDataPreprocessor((10,), (2,))({"inputs": [image()]})["inputs"][0],
        plain(image(), [10.0], [2.0]),
    )


def test_a_pair_of_images_and_samples_stays_a_pair():
    preprocess = ImgDataPreprocessor(MEAN, STD)
    batch, samples = preprocess([torch.stack([image()]), ["sample"]])
    assert torch.equal(batch[0], plain(image()))
    assert samples == ["sample"]
    assert isinstance(preprocess(([image()], ["sample"])), tuple)


def test_statistics_stay_exact_in_half_precision_and_out_of_the_state():
    preprocess = ImgDataPreprocessor(MEAN, STD)
    assert preprocess.state_dict() == {}
    wanted = preprocess({"inputs": [image()]})["inputs"]
    half = preprocess.to(torch.bfloat16)
    assert half.mean.dtype is torch.float32
    assert torch.equal(half({"inputs": [image()]})["inputs"], wanted)
    assert preprocess.to("meta").mean.device.type == "meta"
    assert MODELS.build({"type": "ImgDataPreprocessor"}).non_blocking is False


def test_images_for_a_model_in_double_precision_have_its_precision():
    class Model(BaseModel):
        def __init__(self):
            super().__init__(ImgDataPreprocessor(MEAN, STD))
            self.conv = torch.nn.Conv2d(3, 1, 1)
            self.data_preprocessor.register_buffer("places", torch.arange(3))

        def forward(self, inputs, data_samples=None, mode="tensor"):
            return self.conv(inputs)

    model = Model()
    for dtype in (torch.float64, torch.float32):
        out = model.to(dtype).val_step({"inputs": [image(), image(dtype=torch.float64)]})
        assert out.dtype is dtype
        assert torch.isfinite(out).all()
    model.double().half()
    assert model.data_preprocessor({"inputs": [image()]})["inputs"].dtype is torch.float32
    assert model.data_preprocessor.places.dtype is torch.int64


def test_helpers_of_a_subclass_may_have_any_name():
    class Own(ImgDataPreprocessor):
        def forward(self, data, training=False):
            data = {"inputs": self._preprocess(self._pad(data["inputs"], 1))}
            return super().forward(data, training)

        def _preprocess(self, images):
            return [self._normalize(each, top=2) for each in images]

        def _normalize(self, picture, top):
            return picture.clamp(max=top)

        def _pad(self, images, border):
            return [functional.pad(each, [border] * 4) for each in images]

    out = Own()({"inputs": [torch.full((3, 2, 2), 5)]})["inputs"]
    assert torch.equal(out, functional.pad(torch.full((1, 3, 2, 2), 2.0), [1] * 4))


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"mean": MEAN}, "set both mean and std"),
        ({"std": STD}, "set both mean and std"),
        ({"mean": MEAN, "std": [1.0, 2.0]}, "mean has 3, std has 2"),
        ({"mean": [], "std": []}, "mean has 0, std has 0"),
        ({"mean": MEAN, "std": [1.0, 0.0, 1.0]}, "std must not be 0"),
        ({"bgr_to_rgb": True, "rgb_to_bgr": True}, "not both"),
    ],
)
def test_bad_settings(kwargs, match):
    with pytest.raises(ValueError, match=match):
        ImgDataPreprocessor(**kwargs)


@pytest.mark.parametrize(
    ("kwargs", "data", "error", "match"),
    [
        ({}, {"images": [image()]}, ValueError, r"missing key 'inputs' .* has \['images'\]"),
        ({}, {"inputs": "x"}, TypeError, "not str"),
        ({}, {"inputs": [image(), 3]}, TypeError, r"inputs\[1\] must be a tensor, not int"),
        ({}, {"inputs": image()}, ValueError, r"\(N, C, H, W\) .*, not of shape \(3, 4, 5\)"),
        ({}, {"inputs": [image()[0]]}, ValueError, r"inputs\[0\] must be an image"),
        (
            {},
            {"inputs": [image(), image(6, channels=1)]},
            ValueError,
            r"tensor_list\[1\] has \(1, 6, 5\)",
        ),
        (
            {"mean": MEAN, "std": STD},
            {"inputs": [image(), image(channels=4)]},
            ValueError,
            r"inputs\[1\] has 4 channels, mean and std have 3",
        ),
        (
            {"bgr_to_rgb": True},
            {"inputs": torch.zeros(1, 1, 2, 2)},
            ValueError,
            "inputs has 1 channels: conversion .* needs 3",
        ),
    ],
)
def test_bad_images(kwargs, data, error, match):
    with pytest.raises(error, match=match):
        ImgDataPreprocessor(**kwargs)(data)


# ------------------------------------------------------------------ test time augmentation


class Sum(BaseModel):
    def forward(self, inputs, data_samples=None, mode="tensor"):
        if mode == "predict":
            return [each.sum().item() + s for each, s in zip(inputs, data_samples, strict=True)]
        return torch.stack(list(inputs)).sum()


class Merged(BaseTTAModel):
    def merge_preds(self, data_samples_list):
        return [tuple(each) for each in data_samples_list]


def test_predictions_for_all_augmentations_are_merged_for_each_sample():
    one, two = torch.ones(1), torch.ones(1) * 2
    data = {"inputs": [[one, two], [one * 10, two * 10]], "data_samples": [[0, 0.5], [0, 0.25]]}
    assert Merged(Sum()).test_step(data) == [(1, 10), (2.5, 20.25)]
    assert Merged(Sum()).test_step(list(data.values())) == [(1, 10), (2.5, 20.25)]
    MODELS.register_module(name="SumForTest", module=Sum)
    try:
        assert Merged({"type": "SumForTest"}).test_step(data) == [(1, 10), (2.5, 20.25)]
    finally:
        MODELS.module_dict.pop("SumForTest")
    assert Merged(Sum())([one, two]).item() == 3
    assert isinstance(Merged(Sum()).module.data_preprocessor, BaseDataPreprocessor)


def test_bad_test_time_augmentation():
    with pytest.raises(TypeError, match="a model or a config, not str"):
        Merged("Sum")
    with pytest.raises(TypeError, match=r"Linear has no test_step\(\)"):
        Merged(torch.nn.Linear(1, 1))
    with pytest.raises(TypeError, match="not set"):
        Merged(Sum()).test_step({1})
    with pytest.raises(ValueError, match=r"'inputs'.*2.*'data_samples'.*1"):
        Merged(Sum()).test_step({"inputs": [[], []], "data_samples": [[]]})
    with pytest.raises(NotImplementedError, match="BaseTTAModel must implement merge_preds"):
        BaseTTAModel(Sum()).test_step({"inputs": [[torch.ones(1)]], "data_samples": [[0]]})


def test_a_preprocessor_goes_into_a_copy_of_the_config_of_the_model():
    MODELS.register_module(name="SumForTest", module=Sum)
    try:
        module = {"type": "SumForTest"}
        cfg = {"type": "BaseDataPreprocessor", "non_blocking": True}
        model = Merged(module, cfg)
        assert model.module.data_preprocessor.non_blocking
        assert module == {"type": "SumForTest"}
        preprocessor = BaseDataPreprocessor()
        both = Merged({**module, "data_preprocessor": cfg}, data_preprocessor=preprocessor)
        assert both.module.data_preprocessor is preprocessor
    finally:
        MODELS.module_dict.pop("SumForTest")
    assert MODELS.get("BaseTTAModel") is BaseTTAModel


def test_a_preprocessor_for_a_built_model_is_warned_of(capfd):
    model = Sum()
    own = model.data_preprocessor
    assert Merged(model, BaseDataPreprocessor()).module.data_preprocessor is own
    captured = capfd.readouterr()
    assert "Sum is already built" in captured.out + captured.err


class Doubled(BaseModel):
    """Gives every step its batch twice."""

    def forward(self, inputs, data_samples=None, mode="tensor"):
        return mode, inputs, data_samples

    def _run_forward(self, data, mode):
        return [super()._run_forward(data, mode)] * 2


def test_steps_call_the_model_by_one_method():
    class Plain(Doubled):
        _run_forward = BaseModel._run_forward

    assert Plain()._run_forward({"inputs": 1, "data_samples": 2}, "loss") == ("loss", 1, 2)
    assert Plain()._run_forward([1], mode="x") == ("x", 1, None)
    assert Plain()._run_forward((1, 2), "x") == ("x", 1, 2)
    for wrong in (1, torch.ones(1), "ab", None):
        with pytest.raises(TypeError, match="must return a dict, a list or a tuple"):
            Plain()._run_forward(wrong, "x")
    model = Doubled()
    for step in (model.val_step, model.test_step):
        assert step({"inputs": 1}) == [("predict", 1, None)] * 2


def test_a_training_step_calls_the_model_by_the_same_method():
    class Halved(BaseModel):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def forward(self, inputs, mode="tensor"):
            return {"loss": self.weight * inputs}

        def _run_forward(self, data, mode):
            losses = super()._run_forward(data, mode)
            return {name: loss / 2 for name, loss in losses.items()}

    model = Halved()
    optim = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    assert model.train_step({"inputs": 4.0}, optim)["loss"].item() == 2
    assert model.weight.item() == pytest.approx(0.8)


@pytest.mark.parametrize("kind", ["npu", "mlu", "musa"])
def test_models_and_preprocessors_move_to_other_accelerators(kind, monkeypatch):
    moves = []
    for cls in (BaseModel, BaseDataPreprocessor):
        monkeypatch.setattr(cls, "to", lambda module, *args: moves.append(args))
        module = Sum() if cls is BaseModel else BaseDataPreprocessor()
        for device in (None, 1, f"{kind}:2"):
            assert getattr(module, kind)(device) is module
    assert moves == [(kind,), (f"{kind}:1",), (f"{kind}:2",)] * 2


def test_an_accelerator_that_torch_lacks_is_an_error_of_torch():
    model = Sum()
    with pytest.raises((RuntimeError, AssertionError), match="npu"):
        model.npu()
    assert model.data_preprocessor.device.type == "cpu"
