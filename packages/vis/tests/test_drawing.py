import gc
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eng.registry import VISUALIZERS
from eng.vis import BaseVisBackend, Visualizer

RED, BLUE, BLACK, WHITE = (255, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)
GREEN = (0, 128, 0)  # what 'g' is


def blank(height=20, width=30, value=255):
    return np.full((height, width, 3), value, np.uint8)


def noise(height=20, width=30):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def changed(visualizer, image):
    """Which pixels are not as they were."""
    return (visualizer.get_image() != image).any(axis=2)


def region(height, width, rows, columns):
    mask = np.zeros((height, width), bool)
    mask[rows, columns] = True
    return mask


# The image


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_an_image_comes_back_bit_for_bit_whatever_its_size(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    visualizer = Visualizer(image=image)
    np.testing.assert_array_equal(visualizer.get_image(), image)
    visualizer.draw_bboxes(np.empty((0, 4)))  # from here on the renderer holds it
    np.testing.assert_array_equal(visualizer.get_image(), image)
    visualizer.draw_points([0, 0], sizes=1)
    assert visualizer.get_image().shape == image.shape
    assert visualizer.get_image().dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (801, 1333)])
def test_large_and_thin_images(size):
    image = noise(*size)
    visualizer = Visualizer(image=image).draw_lines([0, 1], [0, 1], line_widths=0.1)
    np.testing.assert_array_equal(visualizer.get_image()[2:, 2:], image[2:, 2:])
    assert visualizer.get_image().shape == image.shape


def test_neither_the_given_image_nor_the_drawn_one_is_shared():
    image = blank()
    visualizer = Visualizer(image=image)
    visualizer.draw_bboxes([2, 2, 9, 9])
    assert (image == 255).all()
    visualizer.get_image()[:] = 7
    image[:] = 9
    assert not (visualizer.get_image() == 7).any()
    assert not (visualizer.get_image() == 9).any()


def test_a_new_image_takes_the_place_of_the_old_and_what_was_drawn():
    visualizer = Visualizer(image=blank()).draw_bboxes([2, 2, 9, 9])
    visualizer.set_image(noise(5, 6))
    np.testing.assert_array_equal(visualizer.get_image(), noise(5, 6))


def test_grey_images_and_other_whole_numbers():
    grey = np.arange(6).reshape(2, 3)
    visualizer = Visualizer(image=grey)
    for given_image in (grey, grey[..., None], torch.tensor(grey)):
        visualizer.set_image(given_image)
        assert visualizer.get_image().dtype == np.uint8
        np.testing.assert_array_equal(visualizer.get_image(), np.stack([grey] * 3, axis=2))
    flipped = noise()[::-1, ::-1, ::-1]
    visualizer.set_image(flipped)
    np.testing.assert_array_equal(visualizer.get_image(), flipped)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (
            np.zeros((2, 2, 5), np.uint8),
            ValueError,
            r"image must have the shape .* not \(2, 2, 5\)",
        ),
        (np.zeros((3, 2, 0), np.uint8), ValueError, "image must have the shape"),
        (np.zeros((0, 2, 3), np.uint8), ValueError, "with at least one pixel"),
        (np.full((2, 2, 3), 255.5), ValueError, "values of 0 to 255, not 255.5 to 255.5"),
        (np.full((2, 2, 3), np.nan), ValueError, "values of 0 to 255, not nan to nan"),
        (np.zeros((2, 2, 3), bool), TypeError, "not bool"),
        (np.full((2, 2, 3), 256), ValueError, "values of 0 to 255, not 256 to 256"),
        (np.full((2, 2, 3), -1), ValueError, "values of 0 to 255, not -1 to -1"),
        ("image.png", TypeError, "image must be numbers.*str: 'image.png'"),
        (None, TypeError, "image must be numbers"),
    ],
)
def test_bad_images(image, error, message):
    visualizer = Visualizer(image=noise())
    with pytest.raises(error, match=message) as caught:
        visualizer.set_image(image)
    assert isinstance(caught.value, AssertionError)
    np.testing.assert_array_equal(visualizer.get_image(), noise())


def test_without_an_image_everything_says_so():
    visualizer = Visualizer()
    for call in (
        visualizer.get_image,
        visualizer.show,
        lambda: visualizer.draw_bboxes([0, 0, 1, 1]),
        lambda: visualizer.draw_points([0, 0]),
        lambda: visualizer.draw_lines([0, 1], [0, 1]),
        lambda: visualizer.draw_circles([0, 0], 1),
        lambda: visualizer.draw_polygons([0, 0, 1, 0, 1, 1]),
        lambda: visualizer.draw_texts("a", [0, 0]),
        lambda: visualizer.draw_binary_masks(np.ones((2, 2))),
    ):
        for kind in (RuntimeError, AssertionError):
            with pytest.raises(kind, match="no image to draw on: call set_image"):
                call()


# Where and with what things are drawn


def test_the_face_of_a_box_is_exactly_its_pixels():
    image = noise()
    visualizer = Visualizer(image=image).draw_bboxes(
        np.array([3, 4, 11, 9]), edge_colors="none", face_colors="r", alpha=1
    )
    drawn = visualizer.get_image()
    inside = region(20, 30, slice(4, 9), slice(3, 11))
    assert (drawn[inside] == RED).all()
    np.testing.assert_array_equal(drawn[~inside], image[~inside])


def test_the_edge_of_a_box_is_as_wide_as_said_in_pixels():
    image = blank()
    drawn = Visualizer(image=image).draw_bboxes([5, 5, 15, 12], "r", alpha=1).get_image()
    assert (drawn[4:6, 5:15] == RED).all()
    assert (drawn[11:13, 5:15] == RED).all()
    assert (drawn[5:12, 4:6] == RED).all()
    assert (drawn[5:12, 14:16] == RED).all()
    assert (drawn[6:11, 6:14] == 255).all()
    assert (drawn[:4] == 255).all()
    assert (drawn[13:] == 255).all()


def test_a_box_as_large_as_the_image_encloses_it_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = Visualizer(image=blank()).draw_bboxes([0, 0, 30, 20], BLUE, alpha=1).get_image()
    assert (drawn[[0, -1]] == BLUE).all()
    assert (drawn[:, [0, -1]] == BLUE).all()
    assert (drawn[1:-1, 1:-1] == 255).all()


def test_defaults_of_boxes():
    drawn = Visualizer(image=blank()).draw_bboxes([5, 5, 15, 12]).get_image()
    green = np.rint(np.array(GREEN) * 0.8 + 255 * 0.2)
    assert np.abs(drawn[5, 8] - green).max() <= 1
    assert (drawn[8, 10] == 255).all()


@pytest.mark.parametrize(
    "color",
    [
        "r", "red", "#ff0000", (1.0, 0.0, 0.0), (255, 0, 0), [255, 0, 0], np.array([255, 0, 0]),
        torch.tensor([255, 0, 0]), (255, 0, 0, 255), ("red", 1.0), ["r"], [(255, 0, 0)],
        np.array([[255, 0, 0]], np.uint8), (255.0, 0.0, 0.0), torch.tensor([[255.0, 0.0, 0.0]]),
        (255.0, 0, 0, 255), [np.array([255.0, 0.0, 0.0])],
    ],
)  # fmt: skip
def test_ways_to_say_red(color):
    visualizer = Visualizer(image=blank())
    visualizer.draw_bboxes([2, 2, 8, 8], edge_colors="none", face_colors=color, alpha=1)
    assert (visualizer.get_image()[2:8, 2:8] == RED).all()


def test_each_box_has_settings_of_its_own():
    boxes = torch.tensor([[2.0, 2, 8, 8], [12, 2, 18, 8], [22, 2, 28, 8]], requires_grad=True)
    drawn = (
        Visualizer(image=blank())
        .draw_bboxes(
            boxes.to(torch.bfloat16),
            edge_colors=["r", BLUE, (0.0, 0.0, 0.0)],
            line_styles=["-", "--", (0, (1, 1))],
            line_widths=[2, 4, 1],
            face_colors=["none", "w", RED],
            alpha=1,
        )
        .get_image()
    )
    assert (drawn[1:3, 3:7] == RED).all()
    assert (drawn[5, 5] == WHITE).all()
    assert (drawn[5, 15] == WHITE).all()
    assert (drawn[3, 13] == BLUE).all()
    assert (drawn[5, 25] == RED).all()


def test_opacity_of_colours_and_of_the_call_multiply():
    visualizer = Visualizer(image=blank())
    visualizer.draw_bboxes([0, 0, 9, 9], "none", face_colors=(0, 0, 0, 127.5 / 255), alpha=0.5)
    assert np.abs(visualizer.get_image()[4, 4].astype(int) - 191).max() <= 1
    visualizer.set_image(blank())
    visualizer.draw_bboxes([0, 0, 9, 9], face_colors=None, alpha=0)
    assert not changed(visualizer, blank()).any()


def test_lines_points_circles_and_polygons_are_where_they_should_be():
    image = blank(40, 40)
    visualizer = Visualizer(image=image)
    drawn = visualizer.draw_lines([2, 38], [10, 10], colors=RED).get_image()
    np.testing.assert_array_equal(
        (drawn == RED).all(axis=2), region(40, 40, slice(9, 11), slice(2, 38))
    )

    visualizer.set_image(image)
    drawn = visualizer.draw_points([20, 10], colors="b", marker="s", sizes=16).get_image()
    np.testing.assert_array_equal(
        (drawn == BLUE).all(axis=2), region(40, 40, slice(8, 12), slice(18, 22))
    )

    visualizer.set_image(image)
    disc = visualizer.draw_circles(
        np.array([20, 16]), 10, edge_colors="none", face_colors="k", alpha=1
    ).get_image()
    y, x = np.mgrid[0:40, 0:40] + 0.5
    distance = np.hypot(x - 20, y - 16)
    assert (disc[distance < 9] == 0).all()
    assert (disc[distance > 11] == 255).all()

    visualizer.set_image(image)
    triangle = visualizer.draw_polygons(
        np.array([4, 4, 34, 4, 4, 34]), edge_colors="none", face_colors="k", alpha=1
    ).get_image()
    assert (triangle[(x > 5) & (y > 5) & (x + y < 36)] == 0).all()
    assert (triangle[(x < 4) | (y < 4) | (x + y > 40)] == 255).all()


def test_circles_keep_their_radius_at_any_dpi():
    for dpi in (50, 72, 200):
        visualizer = Visualizer(image=blank(60, 60), fig_save_cfg={"dpi": dpi, "figsize": (1, 2)})
        visualizer.draw_circles([30, 30], 20, edge_colors="none", face_colors="k", alpha=1)
        assert changed(visualizer, blank(60, 60))[30].sum() == 40


def test_dpi_is_the_size_of_a_point():
    visualizer = Visualizer(image=blank(), fig_save_cfg={"dpi": 144})
    visualizer.draw_lines([0, 30], [10, 10], line_widths=2)
    assert changed(visualizer, blank())[:, 15].sum() == 4


def test_markers_with_and_without_a_face():
    visualizer = Visualizer(image=blank())
    visualizer.draw_points(torch.tensor([[8, 8], [20, 8]]), ["r", "b"], sizes=torch.tensor([9, 81]))
    left, right = np.hsplit(changed(visualizer, blank()), [14])
    assert 0 < left.sum() < 20 < right.sum()
    visualizer.set_image(blank())
    visualizer.draw_points([10, 10], "k", marker="x", sizes=100)
    cross = changed(visualizer, blank())
    assert cross[10, 10]
    assert not cross[6, 10]


def test_every_way_to_give_polygons():
    flat = [2, 2, 12, 2, 12, 12]
    corners = np.reshape(flat, (3, 2))
    want = Visualizer(image=blank()).draw_polygons([corners]).get_image()
    for one in (flat, np.array(flat), corners, [flat], [torch.tensor(flat)], corners[None]):
        drawn = Visualizer(image=blank()).draw_polygons(one).get_image()
        np.testing.assert_array_equal(drawn, want)
    two = [corners, np.array([15, 2, 25, 2, 25, 12, 15, 12])]
    drawn = Visualizer(image=blank()).draw_polygons(
        two, ["r", "b"], face_colors=["b", "r"], alpha=1
    )
    assert (drawn.get_image()[4, 10] == BLUE).all()
    assert (drawn.get_image()[6, 20] == RED).all()
    np.testing.assert_array_equal(
        Visualizer(image=blank()).draw_polygons([flat, flat]).get_image(),
        Visualizer(image=blank()).draw_polygons(np.array([flat, flat])).get_image(),
    )


def test_texts_stand_where_their_alignment_says():
    def extent(**kwargs):
        visualizer = Visualizer(image=blank(60, 100))
        found = np.argwhere(
            changed(visualizer.draw_texts("HH", [50, 30], **kwargs), blank(60, 100))
        )
        return [*found.min(axis=0), *found.max(axis=0)]

    top, left, _, _ = extent()
    assert 30 <= top < 34
    assert 50 <= left < 54
    _, _, bottom, right = extent(vertical_alignments="bottom", horizontal_alignments="right")
    assert bottom < 30
    assert right < 50
    top, left, bottom, right = extent(
        vertical_alignments="center", horizontal_alignments=["center"]
    )
    assert abs(top + bottom - 59) <= 4
    assert abs(left + right - 99) <= 4
    assert extent(vertical_alignments="baseline")[2] == 29
    small, large = extent(font_sizes=8), extent(font_sizes=[16])
    assert large[3] - large[1] > 1.5 * (small[3] - small[1])
    assert extent(font_families="monospace") != extent()


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [([3], ["3"]), ([np.int64(3), 0.5], ["3", "0.5"]), (7, "7"), (["a", 1], ["a", "1"])],
)
def test_numbers_are_drawn_as_texts(numbers, texts):
    places = [[10, 10], [60, 10]][: 1 if isinstance(texts, str) else len(texts)]
    drawn, expected = (
        Visualizer(image=blank(60, 100)).draw_texts(each, places).get_image()
        for each in (numbers, texts)
    )
    assert (drawn == expected).all()
    assert (drawn != 255).any()


def test_math_that_is_invalid_is_drawn_as_it_is():
    def draw(text):
        return Visualizer(image=blank(60, 100)).draw_texts(text, [5, 5]).get_image()

    assert (draw(r"$\frac$") != 255).any()
    assert (draw(r"$\alpha$") != draw(r"$\frac$")).any()
    assert (draw(r"$\alpha$") != draw(r"\alpha")).any()  # valid math is math


def test_each_text_has_settings_of_its_own():
    box = {"facecolor": "b", "edgecolor": "none", "pad": 4}
    drawn = (
        Visualizer(image=blank(60, 100))
        .draw_texts(
            ["A", "B"],
            torch.tensor([[10, 10], [60, 10]]),
            colors=["r", (255, 255, 255)],
            font_sizes=[20, 12],
            bboxes=[None, box],
        )
        .get_image()
    )
    left, right = np.hsplit(drawn, 2)
    assert (left == RED).all(axis=2).any()
    assert not (left == BLUE).all(axis=2).any()
    assert (right == BLUE).all(axis=2).sum() > 100
    assert (right == WHITE).all(axis=2).any()
    assert box == {"facecolor": "b", "edgecolor": "none", "pad": 4}


def test_masks_are_blended_exactly_one_after_the_other():
    image = noise()
    masks = np.zeros((2, 20, 30), np.uint8)
    masks[0, :10, :10] = 1
    masks[1, 5:15, 5:15] = 1
    drawn = (
        Visualizer(image=image)
        .draw_binary_masks(masks, [(255, 0, 0), "b"], [0.5, 0.25])
        .get_image()
    )
    want = image.astype(float)
    for mask, color, alpha in zip(masks == 1, (RED, BLUE), (0.5, 0.25), strict=True):
        want[mask] = np.rint(want[mask] * (1 - alpha) + np.array(color) * alpha)
    np.testing.assert_array_equal(drawn, want)


@pytest.mark.parametrize(
    "masks",
    [
        np.eye(20, 30),
        np.eye(20, 30, dtype=bool),
        torch.eye(20, 30, dtype=torch.uint8),
        torch.eye(20, 30, dtype=torch.bool)[None],
    ],
)
def test_masks_of_any_kind_and_defaults(masks):
    drawn = Visualizer(image=blank(value=0)).draw_binary_masks(masks).get_image()
    diagonal = np.eye(20, 30, dtype=bool)
    assert (drawn[diagonal] == (0, 102, 0)).all()
    assert (drawn[~diagonal] == 0).all()
    colored = Visualizer(image=blank()).draw_binary_masks(masks, np.array([0, 255, 0]), alphas=1)
    assert (colored.get_image()[diagonal] == (0, 255, 0)).all()


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("draw_bboxes", ([[3.3, 4.4, 11.2, 9.6]],)),
        ("draw_polygons", ([[3.3, 4.4, 11.2, 5.5, 8.8, 12.1]],)),
        ("draw_circles", ([[12.3, 10.4]], [5.2])),
        ("draw_lines", ([[3.3, 20.2]], [[4.4, 15.1]])),
        ("draw_points", ([[12.3, 10.4]],)),
    ],
)
def test_an_object_is_drawn_alone_as_among_others(method, args):
    alone = getattr(Visualizer(image=blank()), method)(*args).get_image()
    far = [np.concatenate([np.asarray(given), np.asarray(given) + 300]) for given in args]
    with pytest.warns(UserWarning, match="outside"):
        among = getattr(Visualizer(image=blank()), method)(*far).get_image()
    np.testing.assert_array_equal(alone, among)


def test_calls_are_chained_in_their_order():
    visualizer = Visualizer()
    visualizer.set_image(blank())
    box = np.array([5, 5, 15, 15])
    returned = (
        visualizer.draw_bboxes(box, face_colors="r", alpha=1)
        .draw_texts("a", np.array([2, 2]))
        .draw_circles(np.array([10, 10]), np.array([3]))
        .draw_polygons(np.array([8, 2, 12, 2, 12, 6]))
        .draw_points(np.array([25, 15]))
        .draw_lines(np.array([1, 3]), np.array([1, 3]))
        .draw_binary_masks(np.ones((20, 30)), alphas=0.1)
        .draw_bboxes(box, edge_colors="none", face_colors="b", alpha=1)
    )
    assert returned is visualizer
    assert (visualizer.get_image()[5:15, 5:15] == BLUE).all()


def test_drawing_bit_by_bit_is_drawing_at_once():
    boxes = np.array([[2, 2, 12, 12], [8, 8, 18, 18]])
    stepwise = Visualizer(image=noise())
    for box in boxes:
        stepwise.draw_bboxes(box)
        stepwise.get_image()
    at_once = Visualizer(image=noise()).draw_bboxes(boxes)
    np.testing.assert_array_equal(stepwise.get_image(), at_once.get_image())


def test_images_with_opacity_and_of_fractions():
    image = noise()
    opaque = np.dstack([image, np.full((20, 30), 255, np.uint8)])
    clear = np.dstack([image, np.zeros((20, 30), np.uint8)])
    given = [opaque, clear, image.astype(np.float32), image.astype(np.float64) + 0.4]
    given += [np.clip(image - 0.4, 0, 255), torch.tensor(image).float(), opaque.astype(float)]
    for one in given:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            visualizer = Visualizer(image=one)
        assert visualizer.get_image().dtype == np.uint8
        np.testing.assert_array_equal(visualizer.get_image(), image)
    with pytest.warns(UserWarning, match="image has floats of 0 to 1"):
        Visualizer().set_image(image / 255)
    np.testing.assert_array_equal(Visualizer(image=np.zeros((2, 3))).get_image(), blank(2, 3, 0))


@pytest.mark.parametrize("width", [1, 2, 4])
def test_contours_of_one_and_two_points(width):
    def drawn(points, **settings):
        visualizer = Visualizer(image=blank())
        visualizer.draw_polygons(points, "r", line_widths=width, alpha=1, **settings)
        return (visualizer.get_image() != 255).any(axis=2)

    dot = drawn([np.array([[10, 8]])])
    rows, columns = np.nonzero(dot)
    assert width**2 <= dot.sum() <= (width + 2) ** 2
    assert abs(rows.mean() + 0.5 - 8) <= 1  # lines are put on whole pixels
    assert abs(columns.mean() + 0.5 - 10) <= 1
    assert (drawn([10, 8]) == dot).all()
    assert (drawn(torch.tensor([[10, 8]])) == dot).all()
    line = drawn([np.array([[4, 8], [20, 8]])], face_colors="b")
    assert line[7:9, 5:19].any(axis=0).all()
    assert not line[:, 21 + width :].any()
    assert not line[:, : 3 - width].any() if width < 3 else True
    mixed = drawn([[[10, 8]], [[4, 8], [20, 8]], [[1, 1], [5, 1], [5, 5]]])
    assert mixed[dot].all()
    assert mixed[line].all()


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("draw_bboxes", ([[2, 2, 12, 12], [14, 2, 24, 12]],)),
        ("draw_polygons", ([[2, 2, 12, 2, 12, 12, 2, 12], [14, 2, 24, 2, 24, 12, 14, 12]],)),
        ("draw_circles", ([[7, 7], [19, 7]], 5)),
    ],
)
@pytest.mark.parametrize(
    "alpha", [[1.0, 0.5], (1, 0.5), np.array([1, 0.5]), torch.tensor([1, 0.5])]
)
def test_each_object_has_an_opacity_of_its_own(method, args, alpha):
    visualizer = Visualizer(image=blank())
    drawn = getattr(visualizer, method)(*args, "none", face_colors="k", alpha=alpha).get_image()
    assert (drawn[7, 7] == 0).all()
    assert np.abs(drawn[7, 19].astype(int) - 127).max() <= 1


@pytest.mark.parametrize(
    ("method", "args", "lists"),
    [
        ("draw_bboxes", ([2, 2, 9, 9],), {"edge_colors": ["r", "g"], "line_widths": [1, 2, 3]}),
        ("draw_bboxes", ([2, 2, 9, 9],), {"line_styles": ["-", ":"], "alpha": [0.5, 1]}),
        ("draw_polygons", ([[2, 2, 9, 2, 9, 9]],), {"face_colors": ["r", "g", "b"]}),
        ("draw_circles", ([9, 9],), {"radius": [3, 5], "edge_colors": [RED, BLUE]}),
        ("draw_lines", ([2, 9], [2, 9]), {"colors": ["r", "b"], "line_widths": [4, 1]}),
        ("draw_points", ([5, 5],), {"colors": ["r", "b"], "sizes": [30, 1]}),
        ("draw_texts", ("a", [2, 2]), {"colors": ["r", "b"], "font_sizes": [9, 30]}),
        ("draw_texts", ("a", [2, 2]), {"bboxes": [{"facecolor": "b"}, {}]}),
        ("draw_binary_masks", (np.eye(20, 30),), {"colors": ["r", "b"], "alphas": [1, 0.1]}),
    ],
)
def test_lists_longer_than_the_objects_are_cut(method, args, lists):
    drawn = getattr(Visualizer(image=blank()), method)(*args, **lists).get_image()
    first = {name: values[0] for name, values in lists.items()}
    wanted = getattr(Visualizer(image=blank()), method)(*args, **first).get_image()
    np.testing.assert_array_equal(drawn, wanted)


# Bad input


NOTHING = {
    "draw_bboxes": (np.empty((0, 4)),),
    "draw_points": ([],),
    "draw_lines": ([], []),
    "draw_circles": (np.empty((0, 2)), 3),
    "draw_polygons": ([],),
    "draw_texts": ([], []),
    "draw_binary_masks": (np.empty((0, 20, 30)),),
}


@pytest.mark.parametrize("method", NOTHING)
def test_nothing_to_draw_draws_nothing(method):
    visualizer = Visualizer(image=noise())
    assert getattr(visualizer, method)(*NOTHING[method]) is visualizer
    np.testing.assert_array_equal(visualizer.get_image(), noise())


BOX = [1, 2, 3, 4]
BAD = [
    ("draw_bboxes", ([1, 2, 3],), {}, ValueError, r"bboxes must have the shape \(4,\) or \(N, 4\)"),
    ("draw_bboxes", (np.ones((1, 1, 4)),), {}, ValueError, r"not \(1, 1, 4\)"),
    ("draw_bboxes", ([BOX, BOX[:2]],), {}, ValueError, "bboxes must have rows of one length"),
    ("draw_bboxes", ("box",), {}, TypeError, "bboxes must be numbers"),
    (
        "draw_bboxes",
        ([BOX, [3, 2, 1, 4]],),
        {},
        ValueError,
        r"x1 <= x2 .*bboxes\[1\] is \[3.0, 2.0",
    ),
    (
        "draw_bboxes",
        ([1, 2, 3, float("nan")],),
        {},
        ValueError,
        "bboxes has values that are not f",
    ),
    ("draw_bboxes", ([BOX] * 3, ["r"] * 2), {}, ValueError, "edge_colors has 2 values for 3 obj"),
    ("draw_bboxes", ([BOX] * 2, []), {}, ValueError, "edge_colors has 0 values for 2 objects"),
    (
        "draw_bboxes",
        (BOX, "nope"),
        {},
        ValueError,
        "edge_colors: invalid colour 'nope'; pass a name",
    ),
    (
        "draw_bboxes",
        (BOX, (256, 0, 0)),
        {},
        ValueError,
        r"edge_colors: invalid colour \(256, 0, 0\)",
    ),
    ("draw_bboxes", (BOX, (-1, 0, 0)), {}, ValueError, r"edge_colors: invalid colour \(-1, 0, 0\)"),
    ("draw_bboxes", (BOX, (1.1, 0, 0)), {}, ValueError, "3 floats of 0 to 1"),
    ("draw_bboxes", (BOX, 5), {}, ValueError, "edge_colors: invalid colour 5"),
    (
        "draw_bboxes",
        (BOX,),
        {"face_colors": "nope"},
        ValueError,
        "face_colors: invalid colour 'nope'",
    ),
    (
        "draw_bboxes",
        (BOX,),
        {"line_styles": "~"},
        ValueError,
        "line_styles: invalid line style '~'",
    ),
    ("draw_bboxes", ([BOX] * 4,), {"line_styles": ["-"] * 3}, ValueError, "line_styles has 3"),
    ("draw_bboxes", (BOX,), {"line_widths": -1}, ValueError, "line_widths must be from 0"),
    ("draw_bboxes", ([BOX] * 3,), {"line_widths": [1, 2]}, ValueError, "line_widths has 2 values"),
    ("draw_bboxes", (BOX,), {"line_widths": "a"}, TypeError, "line_widths must be numbers"),
    ("draw_bboxes", (BOX,), {"alpha": 2}, ValueError, "alpha must be from 0 to 1"),
    ("draw_bboxes", (BOX,), {"alpha": [1.5]}, ValueError, "alpha must be from 0 to 1"),
    ("draw_bboxes", (BOX,), {"alpha": "half"}, TypeError, "alpha must be numbers"),
    ("draw_bboxes", ([BOX] * 3,), {"alpha": [0.5, 1]}, ValueError, "alpha has 2 values for 3"),
    ("draw_bboxes", (BOX,), {"colour": "r"}, TypeError, "unexpected keyword argument 'colour'"),
    ("draw_points", ([1, 2, 3],), {}, ValueError, "positions must have the shape"),
    ("draw_points", ([1, 2],), {"marker": "zz"}, ValueError, "zz"),
    ("draw_points", ([[1, 2]] * 3,), {"sizes": [1, 2]}, ValueError, "sizes has 2 values for 3"),
    ("draw_lines", ([1, 2, 3], [1, 2, 3]), {}, ValueError, "x_datas must have the shape"),
    ("draw_lines", ([[1, 2]] * 2, [1, 2]), {}, ValueError, "x_datas has 2 lines but y_datas has 1"),
    ("draw_circles", ([1, 2], -1), {}, ValueError, "radius must not be negative"),
    ("draw_circles", ([[1, 2]] * 3, [1, 2]), {}, ValueError, "radius has 2 values for 3 circles"),
    ("draw_circles", ([1, 2, 3], 1), {}, ValueError, "center must have the shape"),
    ("draw_polygons", ([1, 2, 3],), {}, ValueError, "polygons must be"),
    ("draw_polygons", ([[1, 1], []],), {}, ValueError, "at least one corner"),
    ("draw_polygons", ([[1, 1, 2, 1, 2, 2], [1, 2, 3]],), {}, ValueError, r"polygons\[1\] must be"),
    ("draw_texts", ("a", [[1, 2], [3, 4]]), {}, ValueError, "same length, not 1 and 2"),
    ("draw_texts", ([None], [1, 2]), {}, TypeError, "texts must be a str or a list"),
    ("draw_texts", ("a", [1, 2]), {"font_sizes": -3}, ValueError, "font_sizes must be from 0"),
    (
        "draw_texts",
        (["a"] * 3, [BOX[:2]] * 3),
        {"font_sizes": [3, 4]},
        ValueError,
        "font_sizes has",
    ),
    ("draw_texts", ("a", [1, 2]), {"vertical_alignments": "up"}, ValueError, "one of top, center"),
    ("draw_texts", ("a", [1, 2]), {"horizontal_alignments": 1}, ValueError, "one of left, center"),
    ("draw_texts", ("a", [1, 2]), {"font_families": 1}, ValueError, "font_families must be a str"),
    ("draw_texts", (["a"] * 3, [BOX[:2]] * 3), {"bboxes": [{}, {}]}, ValueError, "bboxes has 2"),
    ("draw_texts", ("a", [1, 2]), {"bboxes": {"nope": 1}}, ValueError, "'a' with the box .*nope"),
    ("draw_binary_masks", (np.ones((2, 3)),), {}, ValueError, r"\(N, 20, 30\).* not \(2, 3\)"),
    ("draw_binary_masks", (np.full((20, 30), 2),), {}, ValueError, "only 0 and 1.* not 2"),
    ("draw_binary_masks", (np.full((20, 30), 0.5),), {}, ValueError, "not 0.5"),
    ("draw_binary_masks", (np.ones((3, 20, 30)), ["r", "g"]), {}, ValueError, "colors has 2 val"),
    ("draw_binary_masks", (np.ones((20, 30)),), {"alphas": 1.5}, ValueError, "alphas must be from"),
]


@pytest.mark.parametrize(("method", "args", "kwargs", "error", "message"), BAD)
def test_bad_input_is_told_by_name_and_draws_nothing(method, args, kwargs, error, message):
    visualizer = Visualizer(image=noise())
    with pytest.raises(error, match=message) as caught:
        getattr(visualizer, method)(*args, **kwargs)
    signature = "unexpected keyword" in str(caught.value) or "zz" in str(caught.value)
    assert isinstance(caught.value, AssertionError) or signature
    np.testing.assert_array_equal(visualizer.get_image(), noise())


@pytest.mark.parametrize(
    ("method", "args", "message"),
    [
        (
            "draw_bboxes",
            ([[0, 0, 5, 5], [-1, 0, 5, 5]],),
            "1 of 2 bboxes .* first at index 1",
        ),
        (
            "draw_bboxes",
            ([0, 0, 31, 20],),
            "out of bounds, .* image of 30 x 20",
        ),
        ("draw_points", ([30.5, 2],), "points"),
        ("draw_lines", ([0, 31], [0, 5]), "lines"),
        ("draw_circles", ([5, 5], 6), "circles"),
        ("draw_polygons", ([1, 1, 5, 1, 5, 21],), "polygons"),
        ("draw_texts", ("a", [-1, 2]), "texts"),
    ],
)
def test_what_reaches_outside_is_warned_of_at_the_line_that_draws_it(method, args, message):
    visualizer = Visualizer(image=blank())
    with pytest.warns(UserWarning, match=message) as caught:
        getattr(visualizer, method)(*args)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("setting", [{"nope": 1}, {"dpi": -1}, {"dpi": "high"}])
def test_a_bad_setting_of_the_figure_is_told(setting):
    visualizer = Visualizer(image=blank(), fig_save_cfg=setting)
    with pytest.raises(ValueError, match=f"fig_save_cfg {setting}: "):
        visualizer.draw_points([1, 1])


# Nothing global


def test_importing_and_holding_an_image_leaves_matplotlib_alone():
    code = """
import sys
import numpy as np
from eng.vis import Visualizer
visualizer = Visualizer(image=np.zeros((4, 5, 3), np.uint8))
visualizer.get_image()
assert "matplotlib" not in sys.modules
visualizer.draw_bboxes([0, 0, 2, 2]).draw_texts("a", [0, 0]).get_image()
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_thousands_of_images_leave_nothing_behind():
    from matplotlib.figure import Figure

    def count_figures():
        gc.collect()
        return sum(type(found) is Figure for found in gc.get_objects())

    before = count_figures()
    visualizer = Visualizer()
    image = blank(8, 8)
    for _ in range(2000):
        visualizer.set_image(image)
        visualizer.draw_bboxes([1, 1, 6, 6])
    for _ in range(100):
        visualizer.set_image(image)
        visualizer.draw_texts("a", [1, 1])
    assert count_figures() <= before + 2


# Subclasses


def test_a_sample_of_data_is_not_drawn_without_a_subclass():
    with pytest.warns(UserWarning, match=r"nothing is drawn: Visualizer does not .* override"):
        Visualizer().add_datasample("a", blank())


class Recorder(BaseVisBackend):
    def __init__(self):
        super().__init__("unused")
        self.images = {}

    @property
    def experiment(self):
        return self.images

    def add_image(self, name, image, step=0, **kwargs):
        self.images[name, step] = image


def test_a_subclass_draws_samples_of_its_task():
    @VISUALIZERS.register_module()
    class BoxVisualizer(Visualizer):
        def add_datasample(
            self, name, image, data_sample=None, draw_gt=True, draw_pred=True, show=False,
            wait_time=0, step=0,
        ):  # fmt: skip
            self.set_image(image)
            if draw_gt:
                self.draw_bboxes(data_sample["gt"], self.dataset_meta["palette"][0], alpha=1)
            if draw_pred:
                self.draw_bboxes(data_sample["pred"], self.dataset_meta["palette"][1], alpha=1)
            self.add_image(name, self.get_image(), step)

    recorder = Recorder()
    visualizer = VISUALIZERS.build(
        {"type": "BoxVisualizer", "name": "boxes", "vis_backends": [recorder]}
    )
    visualizer.dataset_meta = {"palette": [RED, BLUE]}
    sample = {"gt": torch.tensor([2, 2, 8, 8]), "pred": torch.tensor([12, 2, 18, 8])}
    visualizer.add_datasample("both", blank(), sample, step=3)
    visualizer.add_datasample("pred", blank(), sample, draw_gt=False)
    both, pred = recorder.images["both", 3], recorder.images["pred", 0]
    assert (both[5, 2] == RED).all()
    assert (both[5, 12] == BLUE).all()
    assert (pred[5, 2] == 255).all()
    assert (pred[5, 12] == BLUE).all()


# Windows


def test_without_a_display_a_warning_says_that_nothing_is_shown(monkeypatch):
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "get_backend", lambda: "agg")
    pyplot.switch_backend("agg")
    visualizer = Visualizer(image=blank())
    with pytest.warns(UserWarning, match="nothing is shown: the backend 'agg'.*display") as caught:
        visualizer.show()
    assert caught[0].filename == __file__
    assert pyplot.get_fignums() == []


def test_a_gui_without_a_display_is_no_error(monkeypatch):
    from matplotlib import pyplot

    def figure(**kwargs):
        raise ImportError("Cannot load backend 'TkAgg' as 'headless' is currently running")

    monkeypatch.setattr(pyplot, "figure", figure)
    with pytest.warns(UserWarning, match="nothing is shown"):
        Visualizer().show(blank())


@pytest.fixture
def gui(monkeypatch):
    """A backend that says that it has windows; waiting is over at once. Yields what was waited."""
    from matplotlib import pyplot
    from matplotlib.backend_bases import KeyEvent
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pyplot.switch_backend("agg")
    waited = []

    def start_event_loop(canvas, timeout=0):
        waited.append(timeout)
        for key in ("x", "c"):
            canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, key))

    def stop_event_loop(canvas):
        waited.append("stopped")

    monkeypatch.setattr(FigureCanvasAgg, "required_interactive_framework", "fake", raising=False)
    monkeypatch.setattr(FigureCanvasAgg, "start_event_loop", start_event_loop)
    monkeypatch.setattr(FigureCanvasAgg, "stop_event_loop", stop_event_loop)
    monkeypatch.setattr(Figure, "show", lambda figure: waited.append("shown"))
    yield waited
    pyplot.close("all")


def test_an_image_is_shown_as_it_is_until_the_key_is_pressed(gui):
    from matplotlib import pyplot

    visualizer = Visualizer(image=blank(), fig_show_cfg={"frameon": False, "num": "window"})
    visualizer.draw_bboxes([2, 2, 8, 8], face_colors="r", alpha=1)
    visualizer.show(win_name="boxes", continue_key="c")
    assert gui == ["shown", 0, "stopped"]
    figure = pyplot.figure("window")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), visualizer.get_image())
    assert tuple(figure.get_size_inches() * figure.dpi) == (30, 20)

    visualizer.show(noise(50, 40), wait_time=1.5)
    assert gui[3:] == ["shown", 1.5]
    assert pyplot.get_fignums() == [figure.number]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), noise(50, 40))
    visualizer.close()
    assert pyplot.get_fignums() == []


def test_a_window_that_was_closed_opens_again(gui):
    from matplotlib import pyplot

    visualizer = Visualizer(image=blank())
    visualizer.show()
    pyplot.close("all")
    visualizer.show()
    assert len(pyplot.get_fignums()) == 1
    visualizer.close()
    visualizer.close()


def test_show_takes_images_alone(gui):
    with pytest.raises(ValueError, match="drawn_img must have the shape"):
        Visualizer().show(np.zeros((2, 2, 2), np.uint8))
    assert gui == []


def test_a_notebook_shows_the_image_below_the_cell(monkeypatch):
    from matplotlib import pyplot

    shown = []
    pyplot.switch_backend("agg")
    monkeypatch.setattr(pyplot, "get_backend", lambda: "inline")
    monkeypatch.setattr(pyplot, "show", lambda: shown.extend(pyplot.get_fignums()))
    Visualizer(image=blank()).show()
    assert len(shown) == 1
    assert pyplot.get_fignums() == []
