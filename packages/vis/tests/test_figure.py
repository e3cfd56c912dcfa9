"""Drawing by matplotlib itself on the axes of a visualizer."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.patches import Rectangle

from eng.vis import Visualizer, img_from_canvas


def noise(height=20, width=30, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def box(x, y, width, height, color="w", **settings):
    return Rectangle((x, y), width, height, facecolor=color, edgecolor="none", **settings)


def test_axes_are_in_pixels_of_the_image():
    visualizer = Visualizer(image=np.zeros((20, 30, 3), np.uint8))
    assert isinstance(visualizer.ax_save, Axes)
    assert isinstance(visualizer.fig_save, Figure)
    assert isinstance(visualizer.fig_save_canvas, FigureCanvasAgg)
    assert (visualizer.width, visualizer.height) == (30, 20)
    visualizer.ax_save.add_patch(box(4, 5, 6, 3, "r"))
    expected = np.zeros((20, 30, 3), np.uint8)
    expected[5:8, 4:10] = (255, 0, 0)
    np.testing.assert_array_equal(visualizer.get_image(), expected)
    np.testing.assert_array_equal(img_from_canvas(visualizer.fig_save_canvas), expected)


@pytest.mark.parametrize("dpi", [72, 100, 37.5])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (333, 501)])
def test_pixels_that_nothing_covers_stay_exactly(size, dpi):
    image = noise(*size)
    visualizer = Visualizer(image=image, fig_save_cfg={"dpi": dpi})
    assert visualizer.dpi == dpi
    assert visualizer.ax_save.get_xlim() == (0, size[1])
    assert visualizer.ax_save.get_ylim() == (size[0], 0)
    np.testing.assert_array_equal(visualizer.get_image(), image)
    np.testing.assert_array_equal(img_from_canvas(visualizer.fig_save_canvas), image)
    visualizer.ax_save.imshow(image, extent=(0, size[1], size[0], 0), interpolation="none")
    np.testing.assert_array_equal(visualizer.get_image(), image)


def test_whatever_is_drawn_is_in_the_image():
    draws = {
        "plot": lambda axes: axes.plot([2, 28], [10, 10], "r"),
        "scatter": lambda axes: axes.scatter([5], [5], c="r"),
        "text": lambda axes: axes.text(5, 15, "a", color="r"),
        "imshow": lambda axes: axes.imshow(np.ones((2, 2)), extent=(3, 9, 9, 3), cmap="hsv"),
        "collection": lambda axes: axes.add_collection(PatchCollection([box(1, 1, 5, 5)])),
        "legend": lambda axes: axes.legend([box(0, 0, 1, 1)], ["a"]),
        "annotate": lambda axes: axes.annotate("", (3, 3), (20, 12), arrowprops={"color": "r"}),
        "figure": lambda axes: axes.figure.text(0.3, 0.3, "b", color="r"),
        "more axes": lambda axes: axes.figure.add_axes((0.1, 0.1, 0.3, 0.3)),
    }
    image = np.full((20, 30, 3), 120, np.uint8)
    for name, draw in draws.items():
        visualizer = Visualizer(image=image)
        draw(visualizer.ax_save)
        assert (visualizer.get_image() != image).any(), name
        visualizer.set_image(image)
        np.testing.assert_array_equal(visualizer.get_image(), image, err_msg=name)


def test_everything_is_in_the_order_in_which_it_was_drawn():
    visualizer = Visualizer(image=np.zeros((10, 10, 3), np.uint8))
    axes = visualizer.ax_save
    visualizer.draw_bboxes([0, 0, 10, 10], face_colors="r", edge_colors="r", alpha=1)
    axes.add_patch(box(2, 2, 6, 6, "lime"))
    visualizer.draw_bboxes([4, 4, 6, 6], face_colors="b", edge_colors="none", alpha=1)
    assert visualizer.ax_save is axes
    axes.add_patch(box(5, 5, 1, 1, "w"))
    image = visualizer.get_image()
    assert [tuple(image[i, i]) for i in (0, 2, 4, 5)] == [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255),
    ]  # fmt: skip
    np.testing.assert_array_equal(image, visualizer.get_image())
    np.testing.assert_array_equal(image, img_from_canvas(visualizer.fig_save_canvas))


def test_an_artist_can_be_changed_until_something_else_is_drawn():
    visualizer = Visualizer(image=np.zeros((10, 10, 3), np.uint8))
    artist = visualizer.ax_save.add_patch(box(0, 0, 2, 2))
    assert visualizer.get_image()[:2, :2].all()
    artist.set_xy((6, 6))
    image = visualizer.get_image()
    assert not image[:2, :2].any()
    assert image[6:8, 6:8].all()
    artist.remove()
    assert not visualizer.get_image().any()


def test_axes_stay_the_same_from_image_to_image():
    visualizer = Visualizer()
    axes, figure = visualizer.ax_save, visualizer.fig_save
    for height, width in ((10, 20), (31, 7)):
        image = noise(height, width)
        visualizer.set_image(image)
        assert (visualizer.ax_save, visualizer.fig_save) == (axes, figure)
        assert (visualizer.width, visualizer.height) == (width, height)
        np.testing.assert_array_equal(visualizer.get_image(), image)
        axes.add_patch(box(0, 0, width, height, "k"))
        assert not visualizer.get_image().any()


def test_a_plot_beyond_the_image_leaves_the_units_alone():
    visualizer = Visualizer(image=np.zeros((10, 10, 3), np.uint8))
    visualizer.ax_save.plot([-50, 50], [1000, 1000])
    visualizer.ax_save.add_patch(box(3, 3, 1, 1))
    assert [row.tolist() for row in np.nonzero(visualizer.get_image().all(axis=2))] == [[3], [3]]


def test_a_subclass_may_set_the_image_by_itself():
    class Own(Visualizer):
        def set_image(self, image):
            self._image = image
            self.width, self.height = image.shape[1], image.shape[0]
            self._default_font_size = 8
            inches = ((self.width + 1e-2) / self.dpi, (self.height + 1e-2) / self.dpi)
            self.fig_save.set_size_inches(*inches)
            self.ax_save.cla()
            self.ax_save.axis(False)
            extent = (0, self.width, self.height, 0)
            self.ax_save.imshow(image, extent=extent, interpolation="none")

    visualizer = Own()
    for seed in range(2):
        image = noise(12, 17, seed)
        visualizer.set_image(image)
        np.testing.assert_array_equal(visualizer.get_image(), image)
        visualizer.draw_bboxes([2, 2, 6, 6], face_colors="r", edge_colors="none", alpha=1)
        visualizer.ax_save.add_patch(box(3, 3, 1, 1, "b"))
        drawn = visualizer.get_image()
        assert tuple(drawn[3, 3]) == (0, 0, 255)
        assert tuple(drawn[4, 4]) == (255, 0, 0)
        np.testing.assert_array_equal(drawn[8:], image[8:])


def test_the_size_of_fonts_follows_the_image_unless_set():
    visualizer = Visualizer(image=np.full((20, 30, 3), 255, np.uint8))
    assert visualizer._default_font_size == 10
    visualizer.set_image(np.full((1800, 1800, 3), 255, np.uint8))
    assert visualizer._default_font_size == 20

    def rows(font_size=None, given=None):
        visualizer.set_image(np.full((100, 100, 3), 255, np.uint8))
        if font_size is not None:
            visualizer._default_font_size = font_size
        visualizer.draw_texts("H", [10, 90], font_sizes=given, vertical_alignments="bottom")
        return int((visualizer.get_image() != 255).any(axis=(1, 2)).sum())

    assert rows(font_size=60) == rows(given=60) > 2 * rows()


def test_positions_and_other_figures():
    visualizer = Visualizer(image=noise())
    assert visualizer._is_posion_valid(np.array([0, 0]))
    assert visualizer._is_posion_valid([[29, 19], [3, 4]])
    assert not visualizer._is_posion_valid([[1, 1], [30, 4]])
    assert not visualizer._is_posion_valid([-1, 4])
    canvas, figure, axes = visualizer._initialize_fig({"frameon": False, "dpi": 50})
    assert isinstance(canvas, FigureCanvasAgg)
    assert figure.dpi == 50
    assert figure is not visualizer.fig_save
    assert not axes.axison
    assert visualizer.manager is None


def test_texts_have_fonts_of_their_own():
    def written(**settings):
        visualizer = Visualizer(image=np.full((40, 200, 3), 255, np.uint8))
        words = ["first", "other"]
        return visualizer.draw_texts(words, [[5, 5], [100, 5]], **settings).get_image()

    mono = FontProperties(fname=findfont("DejaVu Sans Mono"))
    np.testing.assert_array_equal(
        written(font_properties=mono), written(font_families="DejaVu Sans Mono")
    )
    fonts = [mono, FontProperties(family="DejaVu Serif")]
    np.testing.assert_array_equal(
        written(font_properties=fonts), written(font_families=["DejaVu Sans Mono", "DejaVu Serif"])
    )
    assert (written() != written(font_properties=mono)).any()
    with pytest.raises(TypeError, match="font_properties must be"):
        written(font_properties="serif")
    with pytest.raises(AssertionError, match="font_properties has 0 values"):
        written(font_properties=[])
