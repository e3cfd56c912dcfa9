import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.vis import Visualizer

draw = Visualizer.draw_featmap


def ramp(height=4, width=6):
    return torch.arange(height * width, dtype=torch.float32).reshape(height, width)


def heat(values):
    """What one channel looks like."""
    values = np.asarray(values, np.float32)
    scaled = (values - values.min()) / (values.max() - values.min())
    return matplotlib.colormaps["jet"](scaled, bytes=True)[..., :3]


def test_the_mean_of_the_channels_is_the_default():
    featmap = torch.stack([ramp(), 3 * ramp() + 1, -ramp()])
    drawn = draw(featmap)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, heat(featmap.mean(dim=0)))
    np.testing.assert_array_equal(draw(featmap, None, "squeeze_mean"), drawn)


def test_the_smallest_is_blue_and_the_greatest_red():
    drawn = draw(ramp()[None])
    assert drawn[0, 0].argmax() == 2
    assert drawn[-1, -1].argmax() == 0


def test_the_channel_of_the_greatest_sum():
    featmap = torch.stack([ramp(), ramp().flip(0) + 5, ramp() - 10])
    np.testing.assert_array_equal(draw(featmap, channel_reduction="select_max"), heat(featmap[1]))


@given(st.floats(0, 1))
@settings(deadline=None)
def test_an_overlay_is_the_weighted_sum(alpha):
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    drawn = draw(ramp()[None], image, alpha=alpha)
    want = image * (1 - alpha) + heat(ramp()) * alpha
    assert np.abs(drawn - want).max() <= 0.5 + 1e-9


def test_a_map_takes_the_size_of_the_image_and_both_that_of_resize_shape():
    image = np.full((8, 10, 3), 200, np.uint8)
    assert draw(ramp()[None], image).shape == (8, 10, 3)
    assert draw(ramp()[None], resize_shape=(7, 5)).shape == (7, 5, 3)
    drawn = draw(ramp()[None], image, resize_shape=(16, 5), alpha=0)
    np.testing.assert_array_equal(drawn, np.full((16, 5, 3), 200))
    np.testing.assert_array_equal(draw(ramp()[None], image, alpha=0), image)
    grey = np.full((8, 10), 9, np.uint8)
    np.testing.assert_array_equal(draw(ramp()[None], grey, alpha=0), np.full((8, 10, 3), 9))


def test_one_or_three_channels_as_they_are():
    options = {"channel_reduction": None, "topk": -1}
    np.testing.assert_array_equal(draw(ramp()[None], **options), heat(ramp()))
    rgb = torch.stack([ramp(), ramp() * 0, ramp().flip(1)])
    want = np.rint(rgb.permute(1, 2, 0).numpy() / 23 * 255)
    assert np.abs(draw(rgb, **options) - want).max() <= 1
    with pytest.raises(ValueError, match="1 or 3 channels, not 2"):
        draw(rgb[:2], **options)


def test_the_channels_of_the_greatest_sums_in_their_arrangement():
    featmap = torch.stack([ramp() * scale for scale in (1, 5, 3, 0.5)])
    featmap[2] = featmap[2].flip(0)
    drawn = draw(featmap, channel_reduction=None, topk=3, arrangement=(2, 2))
    assert drawn.shape == (8, 12, 3)
    np.testing.assert_array_equal(drawn[:4, :6], heat(featmap[1]))
    np.testing.assert_array_equal(drawn[:4, 6:], heat(featmap[2]))
    np.testing.assert_array_equal(drawn[4:, :6], heat(featmap[0]))
    assert (drawn[4:, 6:] == 255).all()
    image = np.zeros((4, 6, 3), np.uint8)
    faint = draw(
        featmap, image, channel_reduction=None, topk=3, arrangement=(1, 3), alpha=[0, 1, 0.5]
    )
    assert (faint[:, :6] == 0).all()
    np.testing.assert_array_equal(faint[:, 6:12], heat(featmap[2]))


def test_fewer_channels_than_topk_and_defaults():
    drawn = draw(torch.rand(3, 4, 6), channel_reduction=None)
    assert drawn.shape == (16, 30, 3)
    with pytest.raises(ValueError, match=r"arrangement \(1, 2\) has 2 cells for 3 channels"):
        draw(torch.rand(3, 4, 6), channel_reduction=None, arrangement=(1, 2))


def test_channels_are_told_their_number_where_there_is_room():
    featmap = torch.stack([ramp(60, 200), 2 * ramp(60, 200)])
    drawn = draw(featmap, channel_reduction=None, topk=2, arrangement=(1, 2))
    tiles = np.hsplit(drawn, 2)
    plain = heat(featmap[0])
    for tile in tiles:
        assert (tile[:30, :100] != plain[:30, :100]).any()
        np.testing.assert_array_equal(tile[30:], plain[30:])
    assert (tiles[0] != tiles[1]).any()


@pytest.mark.parametrize(
    "featmap",
    [
        ramp()[None].double(),
        ramp()[None].to(torch.bfloat16),
        ramp()[None].long(),
        ramp()[None].requires_grad_(),
        ramp()[None].numpy(),
    ],
)
def test_maps_of_any_type(featmap):
    np.testing.assert_array_equal(draw(featmap), heat(ramp()))


def test_a_map_of_one_number_is_blue():
    drawn = draw(torch.ones(2, 3, 4))
    assert (drawn == drawn[0, 0]).all()
    assert drawn[0, 0].argmax() == 2
    assert draw(torch.ones(2, 1, 1)).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("featmap", "options", "error", "message"),
    [
        (ramp(), {}, ValueError, r"shape \(C, H, W\), not \(4, 6\)"),
        (ramp()[None, None], {}, ValueError, r"not \(1, 1, 4, 6\); draw the maps .*featmap\[0\]"),
        (torch.empty(0, 4, 6), {}, ValueError, r"not \(0, 4, 6\)"),
        ([[1]], {}, TypeError, "featmap must be a tensor, not list"),
        (ramp()[None] / 0, {}, ValueError, "not finite"),
        (ramp()[None], {"channel_reduction": "max"}, ValueError, "'select_max' or None, not 'max'"),
        (ramp()[None], {"topk": 1.5}, TypeError, "topk must be an int, not 1.5"),
        (ramp()[None], {"resize_shape": (0, 3)}, ValueError, r"resize_shape .* not \(0, 3\)"),
        (ramp()[None], {"resize_shape": 3}, ValueError, "resize_shape must be two integers"),
        (ramp()[None], {"alpha": 1.5}, ValueError, "alpha must be from 0 to 1"),
        (ramp()[None], {"alpha": []}, ValueError, "alpha has 0 values"),
        (
            ramp()[None],
            {"overlaid_image": np.zeros((2, 2, 2), np.uint8)},
            ValueError,
            "overlaid_im",
        ),
        (
            ramp()[None],
            {"channel_reduction": None, "arrangement": (2, 2.5)},
            ValueError,
            "arrangement must be two integers",
        ),
    ],
)
def test_bad_input(featmap, options, error, message):
    with pytest.raises(error, match=message):
        draw(featmap, **options)
