"""Draw on images, and record configs, scalars and images of a run to every backend."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.dist import is_main_process, master_only
from eng.registry import VISBACKENDS, VISUALIZERS, PartConfig, PartOrConfig
from eng.utils import (
    ArgumentTypeError,
    ArgumentValueError,
    DataBatch,
    DataSample,
    ManagerMixin,
    StateDict,
    override,
)

from . import geometry
from .backend import BaseVisBackend
from .cv2_window import Cv2Window, check_wait_time
from .drawing_surface import DrawingSurface
from .errors import BackendNameError
from .guard import RecordingGuard
from .types import Outline

if TYPE_CHECKING:
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from torch import Tensor, nn
    from typing_extensions import Self

    from .types import (
        Arguments,
        Colors,
        Coordinates,
        LineStyles,
        Names,
        Numbers,
        Scalar,
        Scalars,
        TextBoxes,
        Texts,
    )
    from .window import Window

__all__ = ["Visualizer"]


@VISUALIZERS.register_module()
class Visualizer(DrawingSurface, ManagerMixin):
    """Draws on an image, and records configs, scalars and images of a run to its backends.

    Everything is drawn immediately, on a copy of the image, in the order of the calls, which may be
    chained. x goes right and y goes down; (0, 0) is the top left corner of the image and (width,
    height) its bottom right one, so the centre of the first pixel is (0.5, 0.5) and the box
    (0, 0, width, height) encloses every pixel. Coordinates may be tensors of any device, arrays or
    lists.

    Colours are those of matplotlib, such as ``'g'``, ``'#00ff00'`` or floats of 0 to 1, or RGB
    as numbers of 0 to 255. Each setting of objects, such as a colour, a width or a style, is
    one value for all of them or a list of one for each; further ones are ignored. Widths and sizes
    of fonts are in points; a point is a pixel, or ``dpi / 72`` pixels with a ``dpi`` in
    ``fig_save_cfg``.

    Only the main process records and shows; every process draws. Subclasses implement
    :meth:`add_datasample` to draw samples of their task.

    Args:
        name: Name of the instance, see :class:`eng.utils.ManagerMixin`. Defaults to
            ``'visualizer'``.
        image: An image to draw on, as for :meth:`set_image`. Defaults to None.
        vis_backends: A backend or its config, or several. A config may have a ``name``, which
            defaults to the type. Defaults to None, no backend.
        save_dir: Directory; backends write to ``vis_data`` in it. Defaults to None: configs of
            backends without a ``save_dir`` are skipped.
        fig_save_cfg: Arguments of the :class:`matplotlib.figure.Figure` that is drawn with; a
            ``figsize`` is ignored: the size is that of the image. Defaults to no frame.
        fig_show_cfg: Arguments of the :func:`matplotlib.pyplot.figure` that images are shown
            with. Defaults to no frame.

    Raises:
        TypeError: If the image is not numeric, or a backend is neither a backend nor a config.
        ValueError: If two backends have the same name, or the image has an invalid shape or
            values outside of 0 to 255.
    """

    def __init__(
        self,
        name: str = "visualizer",
        image: np.ndarray | None = None,
        vis_backends: Sequence[PartOrConfig[BaseVisBackend]]
        | PartOrConfig[BaseVisBackend]
        | None = None,
        save_dir: str | None = None,
        fig_save_cfg: Arguments = {"frameon": False},  # noqa: B006 - never changed
        fig_show_cfg: Arguments = {"frameon": False},  # noqa: B006 - never changed
    ) -> None:
        DrawingSurface.__init__(self, fig_save_cfg)
        ManagerMixin.__init__(self, name)
        self._dataset_meta: StateDict | None = None
        self._window: Window | None = None
        self._cv2_window: Cv2Window | None = None
        self.fig_show_cfg = fig_show_cfg
        if image is not None:
            self.set_image(image)
        if isinstance(vis_backends, (Mapping, BaseVisBackend)):
            vis_backends = [vis_backends]
        self._vis_backends = dict(_build_backends(vis_backends or [], save_dir))
        self._guards = {name: RecordingGuard(name) for name in self._vis_backends}

    @property
    def dataset_meta(self) -> StateDict | None:
        """Meta information of the dataset, such as class names."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: StateDict) -> None:
        self._dataset_meta = dataset_meta

    def get_backend(self, name: str) -> BaseVisBackend | None:
        """Return a backend by its name, None if the name is unknown."""
        return self._vis_backends.get(name)

    @property
    def manager(self) -> FigureManagerBase | None:
        """The window manager of matplotlib; None if no window is open."""
        return None if self._window is None else self._window.manager

    @master_only
    def show(
        self,
        drawn_img: np.ndarray | None = None,
        win_name: str = "image",
        wait_time: float = 0,
        continue_key: str = " ",
        backend: str = "matplotlib",
    ) -> Figure | None:
        """Show an image in a window, and wait until a key is pressed or the window is closed.

        The window stays open for the next image; :meth:`close` closes it. Without a display, it
        warns and returns immediately.

        Args:
            drawn_img: The image, as for :meth:`set_image`. Defaults to None: what was drawn.
            win_name: Title of the window. Defaults to ``'image'``.
            wait_time: Timeout in seconds. Defaults to 0, without limit.
            continue_key: The key that ends the wait. Defaults to the space key. A window of OpenCV
                takes any key.
            backend: Opens the window: ``'matplotlib'`` (default) or ``'cv2'``, OpenCV.

        Returns:
            The figure in a notebook, else None.

        Raises:
            RuntimeError: If no image was passed or set.
            ValueError: If ``backend`` or ``wait_time`` is invalid.
            ModuleNotFoundError: If ``backend`` is ``'cv2'`` and OpenCV is not installed.
        """
        image = self.get_image() if drawn_img is None else geometry.as_image("drawn_img", drawn_img)
        check_wait_time(wait_time)
        if backend == "cv2":
            self._cv2_window = self._cv2_window or Cv2Window()
            self._cv2_window.show(image, win_name, wait_time)
            return None
        if backend != "matplotlib":
            raise ArgumentValueError(f"backend must be 'matplotlib' or 'cv2', not {backend!r}")
        return self._matplotlib_window().show(image, win_name, wait_time, continue_key)

    def draw_bboxes(
        self,
        bboxes: Coordinates,
        edge_colors: Colors = "g",
        line_styles: LineStyles = "-",
        line_widths: Numbers = 2,
        face_colors: Colors = "none",
        alpha: Numbers = 0.8,
    ) -> Self:
        """Draw boxes.

        Args:
            bboxes: Corners (x1, y1, x2, y2), of shape (4,) or (N, 4).
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``, not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is invalid, or x1 > x2 or y1 > y2.
        """
        canvas, boxes = self._prepare_canvas(), geometry.as_boxes("bboxes", bboxes)
        geometry.warn_outside("bboxes", boxes[:, :2], boxes[:, 2:], canvas.width, canvas.height)
        corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        outline = Outline(edge_colors, line_styles, line_widths, face_colors, alpha)
        canvas.polygons(list(corners), outline)
        return self

    def draw_polygons(
        self,
        polygons: Coordinates | Sequence[Coordinates],
        edge_colors: Colors = "g",
        line_styles: LineStyles = "-",
        line_widths: Numbers = 2,
        face_colors: Colors = "none",
        alpha: Numbers = 0.8,
    ) -> Self:
        """Draw polygons. Each is closed, from its last corner to its first.

        Two corners are drawn as a line, a single corner as a dot: contours of small masks have
        such polygons.

        Args:
            polygons: One as (x1, y1, …, xn, yn) or of shape (n, 2), or a list of such, or an array
                of shape (N, 2n) or (N, n, 2).
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``, not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is invalid.
        """
        canvas, shapes = self._prepare_canvas(), geometry.as_polygons("polygons", polygons)
        low = np.reshape([corners.min(axis=0) for corners in shapes], (-1, 2))
        high = np.reshape([corners.max(axis=0) for corners in shapes], (-1, 2))
        geometry.warn_outside("polygons", low, high, canvas.width, canvas.height)
        outline = Outline(edge_colors, line_styles, line_widths, face_colors, alpha)
        canvas.polygons(shapes, outline)
        return self

    def draw_circles(
        self,
        center: Coordinates,
        radius: Numbers,
        edge_colors: Colors = "g",
        line_styles: LineStyles = "-",
        line_widths: Numbers = 2,
        face_colors: Colors = "none",
        alpha: Numbers = 0.8,
    ) -> Self:
        """Draw circles.

        Args:
            center: Centres (x, y), of shape (2,) or (N, 2).
            radius: Radii in pixels: one, or one for each.
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``, not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is invalid.
        """
        canvas, centers = self._prepare_canvas(), geometry.as_points("center", center)
        radii = geometry.as_radii("radius", radius, len(centers))
        edge = radii[:, None]
        geometry.warn_outside(
            "circles", centers - edge, centers + edge, canvas.width, canvas.height
        )
        outline = Outline(edge_colors, line_styles, line_widths, face_colors, alpha)
        canvas.circles(centers, radii, outline)
        return self

    def draw_lines(
        self,
        x_datas: Coordinates,
        y_datas: Coordinates,
        colors: Colors = "g",
        line_styles: LineStyles = "-",
        line_widths: Numbers = 2,
    ) -> Self:
        """Draw line segments.

        Args:
            x_datas: x of the start and the end, of shape (2,) or (N, 2).
            y_datas: y of the start and the end, of the same shape.
            colors: Colours. Defaults to green.
            line_styles: Styles, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths in points. Defaults to 2.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is invalid.
        """
        canvas, segments = self._prepare_canvas(), geometry.as_segments(x_datas, y_datas)
        low, high = segments.min(axis=1), segments.max(axis=1)
        geometry.warn_outside("lines", low, high, canvas.width, canvas.height)
        canvas.lines(segments, colors, line_styles, line_widths)
        return self

    def draw_points(
        self,
        positions: Coordinates,
        colors: Colors = "g",
        marker: str | None = None,
        sizes: Numbers | None = None,
    ) -> Self:
        """Draw points.

        Args:
            positions: Points (x, y), of shape (2,) or (N, 2).
            colors: Colours. Defaults to green.
            marker: A marker of :mod:`matplotlib.markers`. Defaults to None, a disc.
            sizes: Sizes of the markers as areas in square points, as of
                :meth:`matplotlib.axes.Axes.scatter`. Defaults to None: 36, a width of 6 points.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number, colour or the marker is invalid.
        """
        canvas, points = self._prepare_canvas(), geometry.as_points("positions", positions)
        geometry.warn_outside("points", points, points, canvas.width, canvas.height)
        canvas.points(points, colors, marker, sizes)
        return self

    def draw_texts(
        self,
        texts: Texts,
        positions: Coordinates,
        font_sizes: Numbers | None = None,
        colors: Colors = "g",
        vertical_alignments: Names = "top",
        horizontal_alignments: Names = "left",
        font_families: Names = "sans-serif",
        bboxes: TextBoxes | None = None,
        font_properties: FontProperties | Sequence[FontProperties] | None = None,
    ) -> Self:
        """Draw texts.

        Args:
            texts: A text or a number, or several.
            positions: Positions (x, y), of shape (2,) or (N, 2).
            font_sizes: Font sizes in points. Defaults to None: by the size of the image,
                14 pixels at least.
            colors: Colours. Defaults to green.
            vertical_alignments: Part of a text that is at y: ``'top'``, ``'center'``,
                ``'bottom'`` or ``'baseline'``. Defaults to ``'top'``.
            horizontal_alignments: Part of a text that is at x: ``'left'``, ``'center'`` or
                ``'right'``. Defaults to ``'left'``.
            font_families: Font families: ``'serif'``, ``'sans-serif'``, ``'cursive'``,
                ``'fantasy'``, ``'monospace'`` or the name of a font. Defaults to ``'sans-serif'``.
            bboxes: Settings of the box around a text, of
                :class:`matplotlib.patches.FancyBboxPatch`. Defaults to None, no box.
            font_properties: Complete properties of fonts, such as of a font file:
                ``FontProperties(fname="font.ttf")``. They take precedence over ``font_families``,
                but not over sizes. Defaults to None.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            TypeError: If a text or the properties of a font have another type.
            ValueError: If the numbers of texts and positions differ, or a shape, number, colour or
                alignment is invalid.
        """
        canvas, points = self._prepare_canvas(), geometry.as_points("positions", positions)
        given = [texts] if isinstance(texts, (str, float, Real)) else list(texts)
        words = [str(word) for word in given if isinstance(word, (str, Real))]
        if len(words) != len(given):
            raise ArgumentTypeError(f"texts must be a str or a list of str, not {texts!r}")
        if len(words) != len(points):
            raise ArgumentValueError(
                f"texts and positions must have the same length, not {len(words)} and {len(points)}"
            )
        geometry.warn_outside("texts", points, points, canvas.width, canvas.height)
        canvas.texts(
            words, points, self._font_size if font_sizes is None else font_sizes, colors,
            vertical_alignments, horizontal_alignments, font_families, bboxes, font_properties,
        )  # fmt: skip
        return self

    def draw_binary_masks(
        self,
        binary_masks: np.ndarray | Tensor,
        colors: Colors = "g",
        alphas: Numbers = 0.8,
    ) -> Self:
        """Blend a colour into the pixels of each mask.

        Args:
            binary_masks: Masks as large as the image, of shape (H, W) or (N, H, W), booleans or
                0 and 1.
            colors: Colours. Defaults to green.
            alphas: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is invalid.
        """
        canvas = self._prepare_canvas()
        masks = geometry.as_masks("binary_masks", binary_masks, canvas.height, canvas.width)
        canvas.masks(masks, colors, alphas)
        return self

    @staticmethod
    def draw_featmap(
        featmap: Tensor,
        overlaid_image: np.ndarray | None = None,
        channel_reduction: str | None = "squeeze_mean",
        topk: int = 20,
        arrangement: tuple[int, int] = (4, 5),
        resize_shape: tuple[int, int] | None = None,
        alpha: Numbers = 0.5,
    ) -> np.ndarray:
        """Render a feature map as an image: blue at its minimum, red at its maximum.

        Args:
            featmap: The map, of shape (C, H, W).
            overlaid_image: An image to blend the map into, as for :meth:`set_image`. The map is
                resized to it. Defaults to None.
            channel_reduction: Reduction of the channels to one: ``'squeeze_mean'``, their mean, or
                ``'select_max'``, the one of the largest sum. None draws several channels.
                Defaults to ``'squeeze_mean'``.
            topk: Number of channels to draw if ``channel_reduction`` is None: those of the largest
                sums, the largest first, each labelled with its number if there is room. 0 or less:
                the map must have 1 channel, or 3 that are RGB from the minimum to the maximum.
                Defaults to 20.
            arrangement: Rows and columns of the channels. Defaults to (4, 5).
            resize_shape: Height and width that map and image are resized to, bilinearly. Defaults
                to None.
            alpha: Weight of the map, of 0 to 1, when it is blended with an image, whose weight is
                ``1 - alpha``; with several channels it may be one for each. Defaults to 0.5.

        Returns:
            RGB, uint8, of shape (height, width, 3), or a grid of such as by ``arrangement``.

        Raises:
            ValueError: If an argument has an invalid shape or is out of range, or ``arrangement``
                has too few cells.
        """
        from .featmap import featmap_image

        return featmap_image(
            featmap, overlaid_image, channel_reduction, topk, arrangement, resize_shape, alpha
        )

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: DataSample = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        step: int = 0,
    ) -> None:
        """Draw a data sample and record the image. To be overridden: this one only warns.

        Args:
            name: Name of the image.
            image: The image, RGB.
            data_sample: The sample, a :class:`eng.structures.BaseDataElement`. Defaults to None.
            draw_gt: Whether to draw the ground truth. Defaults to True.
            draw_pred: Whether to draw the predictions. Defaults to True.
            show: Whether to show it in a window. Defaults to False.
            wait_time: Timeout of the window in seconds; 0 without limit. Defaults to 0.
            step: Step of the run. Defaults to 0.
        """
        warnings.warn(
            f"nothing is drawn: {type(self).__name__} does not implement add_datasample;"
            " override it in a subclass of Visualizer",
            stacklevel=2,
        )

    @master_only
    def add_config(self, config: Config, **kwargs: object) -> None:
        """Record a config.

        Args:
            config: The config.
            **kwargs: Settings of the backends.
        """
        self._record_in_backends("add_config", config, **kwargs)

    @master_only
    def add_graph(self, model: nn.Module, data_batch: DataBatch, **kwargs: object) -> None:
        """Record the graph of a model.

        Args:
            model: The model.
            data_batch: A batch to run it on.
            **kwargs: Settings of the backends.
        """
        self._record_in_backends("add_graph", model, data_batch, **kwargs)

    @master_only
    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB, of shape (height, width, 3), uint8.
            step: Step of the run. Defaults to 0.
        """
        self._record_in_backends("add_image", name, image, step)

    @master_only
    def add_histogram(self, name: str, values: np.ndarray, step: int = 0) -> None:
        """Record how values are distributed: as a histogram, or as scalars where there are none.

        Args:
            name: Its name.
            values: The values, of any shape.
            step: Step of the run. Defaults to 0.
        """
        for key, backend in self._vis_backends.items():
            method = getattr(backend, "add_histogram", None)  # one of another package may have none
            if method is None:
                method = partial(BaseVisBackend.add_histogram, backend)
            self._guards[key].call(method, name, values, step)

    @master_only
    def add_scalar(self, name: str, value: Scalar, step: int = 0, **kwargs: object) -> None:
        """Record a scalar.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backends.
        """
        self._record_in_backends("add_scalar", name, value, step, **kwargs)

    @master_only
    def add_scalars(
        self,
        scalar_dict: Scalars,
        step: int = 0,
        file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        """Record scalars.

        Args:
            scalar_dict: Scalars by name.
            step: Step of the run. Defaults to 0.
            file_path: Another file to write them to as well, for backends that write files.
                Defaults to None.
            **kwargs: Settings of the backends.
        """
        self._record_in_backends("add_scalars", scalar_dict, step, file_path, **kwargs)

    def start_run(self, run_id: str, step: int, work_dir: str) -> list[str]:
        """Start to record a run, or continue one that is resumed.

        Args:
            run_id: Identifier of the run, unchanged when it is resumed.
            step: Completed iterations. Records of later ones are superseded by those of the
                resumed run.
            work_dir: The work directory of the run.

        Returns:
            Lines for the log.
        """
        if not is_main_process():
            return []
        return [
            line for line in self._record_in_backends("start_run", run_id, step, work_dir) if line
        ]

    def close(self) -> None:
        """Finish recording in every backend, and close the windows."""
        for window in (self._window, self._cv2_window):
            if window is not None:
                window.close()
        self._window = self._cv2_window = None
        self._record_in_backends("close")

    @classmethod
    @override
    def get_instance(cls, name: str, **kwargs: Any) -> Any:
        """Get or create the visualizer of a name.

        :class:`Visualizer` also finds instances of its subclasses.

        Args:
            name: The name.
            **kwargs: Arguments of the constructor.

        Returns:
            The visualizer.
        """
        instance = super().get_instance(name, **kwargs)
        Visualizer._instance_dict[name] = instance
        return instance

    def _init_manager(self, win_name: str) -> None:
        """Open the window that shows images, if there is a display."""
        self._matplotlib_window().open(win_name)

    def _matplotlib_window(self) -> Window:
        if self._window is None:
            from .window import Window

            self._window = Window(self.fig_show_cfg)
        return self._window

    def _record_in_backends(self, method: str, *args: object, **kwargs: object) -> list[Any]:
        """Call a method of each backend; one that cannot write does not stop the others."""
        return [
            self._guards[name].call(getattr(backend, method), *args, **kwargs)
            for name, backend in self._vis_backends.items()
        ]


def _build_backends(
    backends: Sequence[PartOrConfig[BaseVisBackend]], save_dir: str | None
) -> Iterator[tuple[str, BaseVisBackend]]:
    seen: set[str] = set()
    folder = None if save_dir is None else str(Path(save_dir) / "vis_data")
    for given in backends:
        if isinstance(given, BaseVisBackend):
            name, backend = type(given).__name__, given
        elif not isinstance(given, Mapping):
            raise ArgumentTypeError(
                f"vis_backends must be backends or their configs, not {type(given).__name__}"
            )
        else:
            cfg = dict(given)
            kind = cfg["type"] if isinstance(cfg["type"], str) else cfg["type"].__name__
            name = cfg.pop("name", kind)
            cfg.setdefault("save_dir", folder)
            if cfg["save_dir"] is None and _requires_save_dir(cfg):
                warnings.warn(
                    f"{kind} is skipped: set save_dir of the backend or of the visualizer",
                    stacklevel=3,
                )
                continue
            backend = VISBACKENDS.build(cfg)
        if name in seen:
            raise BackendNameError(
                f"duplicate backend name {name!r}: set another name=... in one of the configs"
            )
        seen.add(name)
        yield name, backend


def _requires_save_dir(cfg: PartConfig) -> bool:
    """Whether the class of a backend requires a ``save_dir``."""
    parameter = inspect.signature(VISBACKENDS.type_of(cfg)).parameters.get("save_dir")
    return parameter is None or parameter.default is not None
