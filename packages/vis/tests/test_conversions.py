"""Colours, arrays and checks of arguments that code of visualizers uses."""

import sys

import numpy as np
import pytest
import torch

from eng.vis import (
    Visualizer,
    check_length,
    check_type,
    check_type_and_length,
    color_str2rgb,
    color_val_matplotlib,
    convert_overlay_heatmap,
    tensor2ndarray,
    value2list,
)


def test_tensors_become_arrays_and_the_rest_stays():
    array = np.arange(3)
    assert tensor2ndarray(array) is array
    assert tensor2ndarray("a") == "a"
    for dtype in (torch.float32, torch.int64, torch.bool):
        tensor = torch.tensor([0, 1], dtype=dtype)
        np.testing.assert_array_equal(tensor2ndarray(tensor), tensor.numpy())
    assert tensor2ndarray(torch.tensor([1.5], dtype=torch.bfloat16, requires_grad=True)) == [1.5]


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("green", "green"),
        ((255, 0, 51), (1.0, 0.0, 0.2)),
        (["r", (0, 0, 255)], ["r", (0.0, 0.0, 1.0)]),
        ([], []),
    ],
)
def test_colors_of_matplotlib(color, expected):
    assert color_val_matplotlib(color) == expected


@pytest.mark.parametrize("color", [3, None, [1, 2, 3], np.zeros(3), {"r"}])
def test_other_colors_are_refused(color):
    with pytest.raises(TypeError, match="colors must be a name"):
        color_val_matplotlib(color)


@pytest.mark.parametrize("color", [(256, 0, 0), (-1, 0, 0), (1, 2), ()])
def test_numbers_that_are_not_a_color_are_refused(color):
    with pytest.raises(ValueError, match="three numbers of 0 to 255"):
        color_val_matplotlib(color)


def test_names_of_colors():
    assert color_str2rgb("green") == (0, 128, 0)
    assert color_str2rgb("#ff0033") == (255, 0, 51)
    assert color_str2rgb("w") == (255, 255, 255)
    for wrong in ("greeen", "", "#12"):
        with pytest.raises(ValueError, match="is not a colour of matplotlib"):
            color_str2rgb(wrong)


def test_a_heatmap_goes_from_blue_to_red():
    heat = np.array([[-3.0, 0.0], [0.0, 3.0]])
    picture = convert_overlay_heatmap(heat)
    assert picture.dtype == np.uint8
    assert tuple(picture[0, 0]) == (0, 0, 127)
    assert tuple(picture[1, 1]) == (127, 0, 0)
    for same in (torch.tensor(heat), heat[None], heat[..., None]):
        np.testing.assert_array_equal(convert_overlay_heatmap(same), picture)
    image = np.full((2, 2, 3), 200, np.uint8)
    np.testing.assert_array_equal(convert_overlay_heatmap(heat, image, alpha=0), image)
    np.testing.assert_array_equal(convert_overlay_heatmap(heat, image, alpha=1), picture)
    mixed = np.rint(0.5 * image + 0.5 * picture)
    np.testing.assert_array_equal(convert_overlay_heatmap(heat, image), mixed)


def test_a_heatmap_of_three_channels_is_rgb():
    heat = np.zeros((4, 5, 3))
    heat[0, 0, 1] = 2
    picture = convert_overlay_heatmap(heat)
    assert tuple(picture[0, 0]) == (0, 255, 0)
    np.testing.assert_array_equal(convert_overlay_heatmap(heat.transpose(2, 0, 1)), picture)
    assert not convert_overlay_heatmap(np.ones((2, 2)))[..., 0].any()


@pytest.mark.parametrize(
    ("heat", "image", "alpha", "fault"),
    [
        (np.zeros((2, 4, 5)), None, 0.5, "must have the shape"),
        (np.zeros(3), None, 0.5, "must have the shape"),
        (np.full((2, 2), np.nan), None, 0.5, "not finite"),
        (np.zeros((2, 2)), np.zeros((3, 2, 3), np.uint8), 0.5, "must have the same size"),
        (np.zeros((2, 2)), None, 1.5, "alpha must be"),
    ],
)
def test_other_heatmaps_are_refused(heat, image, alpha, fault):
    with pytest.raises(ValueError, match=fault):
        convert_overlay_heatmap(heat, image, alpha)


def test_values_are_repeated_and_lists_stay():
    assert value2list("g", str, 3) == ["g", "g", "g"]
    assert value2list((1, 2), (int, tuple), 2) == [(1, 2), (1, 2)]
    given = ["g", "r"]
    assert value2list(given, str, 5) is given


def test_types_and_lengths_are_checked():
    check_type("color", "g", (str, list))
    check_length("color", ["g", "r", "b"], 2)
    check_length("color", "g", 2)
    check_type_and_length("color", ["g"], list, 1)
    with pytest.raises(TypeError, match="color must be str or list, not int"):
        check_type("color", 3, (str, list))
    with pytest.raises(AssertionError, match=r"color must have at least 2 values.* not 1"):
        check_length("color", ["g"], 2)
    with pytest.raises(TypeError, match="color must be str"):
        check_type_and_length("color", [3], str, 1)
    with pytest.raises(AssertionError, match="color"):
        check_type_and_length("color", [3], list, 2)


def test_a_canvas_of_opencv_shows_the_image(monkeypatch):
    calls = []
    cv2 = type(
        "cv2",
        (),
        {
            name: staticmethod(lambda *args, name=name: calls.append((name, *args)))
            for name in ("namedWindow", "setWindowTitle", "imshow", "waitKey", "destroyWindow")
        },
    )
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 0] = 200
    visualizer = Visualizer(image=image)
    visualizer.show(win_name="boxes", wait_time=0.0123, backend="cv2")
    visualizer.show(win_name="more", backend="cv2")
    visualizer.close()
    window = calls[0][1]
    assert [call[0] for call in calls] == [
        "namedWindow", "setWindowTitle", "imshow", "waitKey",
        "setWindowTitle", "imshow", "waitKey", "destroyWindow",
    ]  # fmt: skip
    assert calls[1][1:] == (window, "boxes")
    np.testing.assert_array_equal(calls[2][2], image[..., ::-1])
    assert [call[1] for call in calls if call[0] == "waitKey"] == [13, 0]
    assert Visualizer(image=image)._cv2_window is None


def test_other_windows_are_refused(monkeypatch):
    visualizer = Visualizer(image=np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="backend must be 'matplotlib' or 'cv2', not 'qt'"):
        visualizer.show(backend="qt")
    with pytest.raises(ValueError, match="wait_time must be seconds"):
        visualizer.show(wait_time=-1)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ModuleNotFoundError, match="pip install opencv-python"):
        visualizer.show(backend="cv2")
