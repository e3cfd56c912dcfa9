"""What a run records, sent to every backend, and images that are drawn on."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.dist import is_main_process, master_only
from eng.registry import VISBACKENDS, VISUALIZERS
from eng.utils import ArgumentTypeError, ArgumentValueError, ManagerMixin, override

from . import geometry
from .backend import BaseVisBackend
from .cv2_window import Cv2Window, check_wait_time
from .drawing_surface import DrawingSurface
from .errors import BackendNameError
from .guard import RecordingGuard

if TYPE_CHECKING:
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from torch import Tensor

    from .window import Window

__all__ = ["Visualizer"]


@VISUALIZERS.register_module()
class Visualizer(DrawingSurface, ManagerMixin):
    """Draws on an image, and sends configs, scalars and images of a run to its backends.

    What is drawn is drawn at once, on a copy of the image, in the order of the calls, which may be
    chained. x goes right and y goes down; (0, 0) is the top left corner of the image and (width,
    height) its bottom right one, so the centre of the first pixel is (0.5, 0.5) and the box
    (0, 0, width, height) encloses every pixel. Coordinates may be tensors of any device, arrays or
    lists.

    Colours are what matplotlib takes, such as ``'g'``, ``'#00ff00'`` or floats of 0 to 1, or RGB
    as whole numbers of 0 to 255. Each setting of objects, such as a colour, a width or a style, is
    one value for all of them or a list of one for each; further ones are left out. Widths and sizes
    of fonts are in points; a point is a pixel, or ``dpi / 72`` pixels with a ``dpi`` in
    ``fig_save_cfg``.

    Recording is done in the first process alone, and so is showing; drawing is done in each.
    Subclasses say in :meth:`add_datasample` how a sample of their kind is drawn.

    Args:
        name: Name of the instance, see :class:`eng.utils.ManagerMixin`. Defaults to
            ``'visualizer'``.
        image: An image to draw on, as for :meth:`set_image`. Defaults to None.
        vis_backends: A backend or the config of one, or several, each config perhaps with a
            ``name``; without one the name is the type. Defaults to None, no backend.
        save_dir: Directory whose folder ``vis_data`` the backends write to. Defaults to None:
            configs of backends without a ``save_dir`` of their own are left out.
        fig_save_cfg: Arguments of the :class:`matplotlib.figure.Figure` that is drawn with; a
            ``figsize`` has no effect, the size is that of the image. Defaults to no frame.
        fig_show_cfg: Arguments of the :func:`matplotlib.pyplot.figure` that images are shown
            with. Defaults to no frame.

    Raises:
        TypeError: If the image holds anything but numbers, or a backend is none.
        ValueError: If two backends have the same name, or the image has another shape or numbers
            that are not of 0 to 255.
    """

    def __init__(
        self,
        name: str = "visualizer",
        image: np.ndarray | None = None,
        vis_backends: Sequence[dict[str, Any] | BaseVisBackend]
        | dict[str, Any]
        | BaseVisBackend
        | None = None,
        save_dir: str | None = None,
        fig_save_cfg: dict[str, Any] = {"frameon": False},  # noqa: B006 - never changed
        fig_show_cfg: dict[str, Any] = {"frameon": False},  # noqa: B006 - never changed
    ) -> None:
        DrawingSurface.__init__(self, fig_save_cfg)
        ManagerMixin.__init__(self, name)
        self._dataset_meta: dict[str, Any] | None = None
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
    def dataset_meta(self) -> dict[str, Any] | None:
        """Meta information of the dataset, such as names of classes."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        self._dataset_meta = dataset_meta

    def get_backend(self, name: str) -> BaseVisBackend | None:
        """The backend of a name.

        Args:
            name: The name.

        Returns:
            The backend; None if there is none of this name.
        """
        return self._vis_backends.get(name)

    @property
    def manager(self) -> FigureManagerBase | None:
        """What matplotlib manages the window with; None where none is open."""
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

        The window stays open for the next image; :meth:`close` closes it. Where there is no
        display, a warning says so and nothing is waited for.

        Args:
            drawn_img: The image, as for :meth:`set_image`. Defaults to None: what was drawn.
            win_name: Title of the window. Defaults to ``'image'``.
            wait_time: How long to wait at most, in seconds. Defaults to 0, without limit.
            continue_key: The key to go on with. Defaults to the space key. A window of OpenCV goes
                on with any key.
            backend: Opens the window: ``'matplotlib'`` (default) or ``'cv2'``, OpenCV.

        Returns:
            The figure in a notebook, else None.

        Raises:
            RuntimeError: If no image was given and none was set.
            ValueError: If ``backend`` or ``wait_time`` is invalid.
            ModuleNotFoundError: If OpenCV is to open the window and is not installed.
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
        bboxes: np.ndarray | Tensor,
        edge_colors: Any = "g",
        line_styles: str | list[str] = "-",
        line_widths: float | list[float] = 2,
        face_colors: Any = "none",
        alpha: float | list[float] = 0.8,
    ) -> Visualizer:
        """Draw boxes.

        Args:
            bboxes: Corners (x1, y1, x2, y2), of shape (4,) or (N, 4).
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``: they are not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is wrong, or x1 > x2 or y1 > y2.
        """
        canvas, boxes = self._drawn_on(), geometry.as_boxes("bboxes", bboxes)
        geometry.warn_outside("bboxes", boxes[:, :2], boxes[:, 2:], canvas.width, canvas.height)
        corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        canvas.polygons(corners, edge_colors, line_styles, line_widths, face_colors, alpha)
        return self

    def draw_polygons(
        self,
        polygons: np.ndarray | Tensor | list[np.ndarray | Tensor],
        edge_colors: Any = "g",
        line_styles: str | list[str] = "-",
        line_widths: float | list[float] = 2,
        face_colors: Any = "none",
        alpha: float | list[float] = 0.8,
    ) -> Visualizer:
        """Draw polygons. Each is closed, from its last corner to its first.

        One of two corners is a line, one of a single corner a dot, as contours of small masks are.

        Args:
            polygons: One as (x1, y1, …, xn, yn) or of shape (n, 2), or a list of such, or an array
                of shape (N, 2n) or (N, n, 2).
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``: they are not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is wrong.
        """
        canvas, shapes = self._drawn_on(), geometry.as_polygons("polygons", polygons)
        low = np.reshape([corners.min(axis=0) for corners in shapes], (-1, 2))
        high = np.reshape([corners.max(axis=0) for corners in shapes], (-1, 2))
        geometry.warn_outside("polygons", low, high, canvas.width, canvas.height)
        canvas.polygons(shapes, edge_colors, line_styles, line_widths, face_colors, alpha)
        return self

    def draw_circles(
        self,
        center: np.ndarray | Tensor,
        radius: np.ndarray | Tensor | float,
        edge_colors: Any = "g",
        line_styles: str | list[str] = "-",
        line_widths: float | list[float] = 2,
        face_colors: Any = "none",
        alpha: float | list[float] = 0.8,
    ) -> Visualizer:
        """Draw circles.

        Args:
            center: Centres (x, y), of shape (2,) or (N, 2).
            radius: Radii in pixels: one, or one for each.
            edge_colors: Colours of the edges. Defaults to green.
            line_styles: Styles of the edges, of matplotlib. Defaults to ``'-'``.
            line_widths: Widths of the edges in points. Defaults to 2.
            face_colors: Colours of the faces. Defaults to ``'none'``: they are not filled.
            alpha: Opacities, of 0 to 1. Defaults to 0.8.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            ValueError: If a shape, number or colour is wrong.
        """
        canvas, centers = self._drawn_on(), geometry.as_points("center", center)
        radii = geometry.as_radii("radius", radius, len(centers))
        edge = radii[:, None]
        geometry.warn_outside(
            "circles", centers - edge, centers + edge, canvas.width, canvas.height
        )
        canvas.circles(centers, radii, edge_colors, line_styles, line_widths, face_colors, alpha)
        return self

    def draw_lines(
        self,
        x_datas: np.ndarray | Tensor,
        y_datas: np.ndarray | Tensor,
        colors: Any = "g",
        line_styles: str | list[str] = "-",
        line_widths: float | list[float] = 2,
    ) -> Visualizer:
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
            ValueError: If a shape, number or colour is wrong.
        """
        canvas, segments = self._drawn_on(), geometry.as_segments(x_datas, y_datas)
        low, high = segments.min(axis=1), segments.max(axis=1)
        geometry.warn_outside("lines", low, high, canvas.width, canvas.height)
        canvas.lines(segments, colors, line_styles, line_widths)
        return self

    def draw_points(
        self,
        positions: np.ndarray | Tensor,
        colors: Any = "g",
        marker: str | None = None,
        sizes: np.ndarray | Tensor | float | None = None,
    ) -> Visualizer:
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
            ValueError: If a shape, number, colour or the marker is wrong.
        """
        canvas, points = self._drawn_on(), geometry.as_points("positions", positions)
        geometry.warn_outside("points", points, points, canvas.width, canvas.height)
        canvas.points(points, colors, marker, sizes)
        return self

    def draw_texts(
        self,
        texts: str | list[str],
        positions: np.ndarray | Tensor,
        font_sizes: float | list[float] | None = None,
        colors: Any = "g",
        vertical_alignments: str | list[str] = "top",
        horizontal_alignments: str | list[str] = "left",
        font_families: str | list[str] = "sans-serif",
        bboxes: dict[str, Any] | list[dict[str, Any]] | None = None,
        font_properties: FontProperties | list[FontProperties] | None = None,
    ) -> Visualizer:
        """Write texts.

        Args:
            texts: A text, or several.
            positions: Where each stands, (x, y), of shape (2,) or (N, 2).
            font_sizes: Sizes of the fonts in points. Defaults to None: by the size of the image,
                14 pixels at least.
            colors: Colours. Defaults to green.
            vertical_alignments: What of a text stands at y: ``'top'``, ``'center'``,
                ``'bottom'`` or ``'baseline'``. Defaults to ``'top'``.
            horizontal_alignments: What of a text stands at x: ``'left'``, ``'center'`` or
                ``'right'``. Defaults to ``'left'``.
            font_families: Fonts: ``'serif'``, ``'sans-serif'``, ``'cursive'``, ``'fantasy'``,
                ``'monospace'`` or the name of one. Defaults to ``'sans-serif'``.
            bboxes: The box around a text, settings of
                :class:`matplotlib.patches.FancyBboxPatch`. Defaults to None, no box.
            font_properties: Fonts in all their properties, such as one of a file:
                ``FontProperties(fname="font.ttf")``. They take precedence over ``font_families``,
                but not over sizes. Defaults to None.

        Returns:
            The visualizer itself.

        Raises:
            RuntimeError: If no image was set.
            TypeError: If a text or the properties of a font are something else.
            ValueError: If there is not one position for each text, or a shape, number, colour or
                alignment is wrong.
        """
        canvas, points = self._drawn_on(), geometry.as_points("positions", positions)
        words = [texts] if isinstance(texts, str) else list(texts)
        if not all(isinstance(word, str) for word in words):
            raise ArgumentTypeError(f"texts must be a text or several, not {texts!r}")
        if len(words) != len(points):
            raise ArgumentValueError(f"there are {len(words)} texts but {len(points)} positions")
        geometry.warn_outside("texts", points, points, canvas.width, canvas.height)
        canvas.texts(
            words, points, self._font_size if font_sizes is None else font_sizes, colors,
            vertical_alignments, horizontal_alignments, font_families, bboxes, font_properties,
        )  # fmt: skip
        return self

    def draw_binary_masks(
        self,
        binary_masks: np.ndarray | Tensor,
        colors: Any = "g",
        alphas: float | list[float] = 0.8,
    ) -> Visualizer:
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
            ValueError: If a shape, number or colour is wrong.
        """
        canvas = self._drawn_on()
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
        alpha: float | list[float] = 0.5,
    ) -> np.ndarray:
        """A feature map as an image: blue where it is smallest, red where it is greatest.

        Args:
            featmap: The map, of shape (C, H, W).
            overlaid_image: An image that the map is blended into, as for :meth:`set_image`. The map
                takes its size. Defaults to None.
            channel_reduction: How the channels become one: ``'squeeze_mean'``, their mean, or
                ``'select_max'``, the one of the greatest sum. None draws several channels.
                Defaults to ``'squeeze_mean'``.
            topk: With no ``channel_reduction``, how many channels are drawn, those of the greatest
                sums, the greatest first. Where there is room, each is told its number. 0 or less:
                the map has 1 channel, or 3 that are taken as RGB from the smallest number to the
                greatest. Defaults to 20.
            arrangement: Rows and columns of the channels. Defaults to (4, 5).
            resize_shape: Height and width that map and image are resized to, bilinearly. Defaults
                to None.
            alpha: Weight of the map, of 0 to 1, where it is blended with an image, the rest being
                that of the image; with several channels it may be one for each. Defaults to 0.5.

        Returns:
            RGB, uint8, of shape (height, width, 3), or as many times that as ``arrangement`` says.

        Raises:
            ValueError: If an argument has another shape or is out of range, or ``arrangement`` has
                too few places.
        """
        from .featmap import featmap_image

        return featmap_image(
            featmap, overlaid_image, channel_reduction, topk, arrangement, resize_shape, alpha
        )

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: Any = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        step: int = 0,
    ) -> None:
        """Draw a sample of data and record it. Subclasses say how: no field of it is known here.

        This one draws nothing, and warns of that.

        Args:
            name: Name of the image.
            image: The image, RGB.
            data_sample: The sample, a :class:`eng.structures.BaseDataElement`. Defaults to None.
            draw_gt: Whether to draw what is annotated. Defaults to True.
            draw_pred: Whether to draw what is predicted. Defaults to True.
            show: Whether to show it in a window. Defaults to False.
            wait_time: How long to show it, in seconds; 0 without limit. Defaults to 0.
            step: Step of the run. Defaults to 0.
        """
        warnings.warn(
            f"nothing is drawn: {type(self).__name__} does not say how a sample of data is drawn;"
            " override add_datasample in a subclass of Visualizer",
            stacklevel=2,
        )

    @master_only
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record a config.

        Args:
            config: The config.
            **kwargs: Settings of the backends.
        """
        self._record("add_config", config, **kwargs)

    @master_only
    def add_graph(self, model: Any, data_batch: Any, **kwargs: Any) -> None:
        """Record the graph of a model.

        Args:
            model: The model.
            data_batch: A batch to run it on.
            **kwargs: Settings of the backends.
        """
        self._record("add_graph", model, data_batch, **kwargs)

    @master_only
    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """Record an image.

        Args:
            name: Its name.
            image: RGB, of shape (height, width, 3), uint8.
            step: Step of the run. Defaults to 0.
        """
        self._record("add_image", name, image, step)

    @master_only
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """Record a number.

        Args:
            name: Its name.
            value: A number, or a tensor or array of one element.
            step: Step of the run. Defaults to 0.
            **kwargs: Settings of the backends.
        """
        self._record("add_scalar", name, value, step, **kwargs)

    @master_only
    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Record numbers.

        Args:
            scalar_dict: Numbers by name.
            step: Step of the run. Defaults to 0.
            file_path: Another file that also gets them, where a backend writes files. Defaults to
                None.
            **kwargs: Settings of the backends.
        """
        self._record("add_scalars", scalar_dict, step, file_path, **kwargs)

    def start_run(self, run_id: str, step: int, work_dir: str) -> list[str]:
        """Begin to record a training, or go on with one that is resumed.

        Args:
            run_id: Identifier of the run, the same whenever it is resumed.
            step: Iterations done. What was recorded after them is recorded again, and the newer
                records count.
            work_dir: The work directory of the run.

        Returns:
            Lines for the log.
        """
        if not is_main_process():
            return []
        return [line for line in self._record("start_run", run_id, step, work_dir) if line]

    def close(self) -> None:
        """Finish recording in every backend, and close the windows."""
        for window in (self._window, self._cv2_window):
            if window is not None:
                window.close()
        self._window = self._cv2_window = None
        self._record("close")

    @classmethod
    @override
    def get_instance(cls, name: str, **kwargs: Any) -> Any:
        """The visualizer of a name, created if there is none.

        An instance of a subclass is found through :class:`Visualizer` as well.

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
        """Open the window in which images are shown, where there is a display."""
        self._matplotlib_window().open(win_name)

    def _matplotlib_window(self) -> Window:
        if self._window is None:
            from .window import Window

            self._window = Window(self.fig_show_cfg)
        return self._window

    def _record(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Call a method of each backend; one that cannot write does not stop the others."""
        return [
            self._guards[name].call(getattr(backend, method), *args, **kwargs)
            for name, backend in self._vis_backends.items()
        ]


def _build_backends(
    backends: Sequence[dict[str, Any] | BaseVisBackend], save_dir: str | None
) -> Iterator[tuple[str, BaseVisBackend]]:
    seen: set[str] = set()
    folder = None if save_dir is None else str(Path(save_dir) / "vis_data")
    for given in backends:
        if isinstance(given, BaseVisBackend):
            name, backend = type(given).__name__, given
        elif not isinstance(given, Mapping):
            raise ArgumentTypeError(
                f"vis_backends must be backends or configs of them, not {type(given).__name__}"
            )
        else:
            cfg = dict(given)
            kind = cfg["type"] if isinstance(cfg["type"], str) else cfg["type"].__name__
            name = cfg.pop("name", kind)
            cfg.setdefault("save_dir", folder)
            if cfg["save_dir"] is None and _needs_folder(cfg):
                warnings.warn(
                    f"{kind} is left out: neither it nor the visualizer has a save_dir",
                    stacklevel=3,
                )
                continue
            backend = VISBACKENDS.build(cfg)
        if name in seen:
            raise BackendNameError(
                f"two backends have the name {name!r}: give one another name=..."
            )
        seen.add(name)
        yield name, backend


def _needs_folder(cfg: Mapping[str, Any]) -> bool:
    """Whether the class of a backend cannot do without a ``save_dir``."""
    parameter = inspect.signature(VISBACKENDS.type_of(cfg)).parameters.get("save_dir")
    return parameter is None or parameter.default is not None
