"""Visualizer of predictions of any task: boxes in the image, and other values below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from eng.dist import master_only
from eng.registry import VISUALIZERS
from eng.utils import DataSample, override

from .geometry import as_image
from .visualizer import Visualizer

__all__ = ["PredictionVisualizer"]

_LEAST_SIZE = 240  # pixels: small images are enlarged
_LINE_HEIGHT = 20  # pixels of a line of text
_MOST_LINES = 6
_MOST_VALUES = 5


@VISUALIZERS.register_module()
class PredictionVisualizer(Visualizer):
    """Draws samples without knowledge of their task.

    Boxes of ``pred_instances`` and ``gt_instances`` are drawn in the image. Numbers, texts and
    short tensors are written below it; labels by the ``classes`` of the dataset. The arguments are
    those of :class:`Visualizer`.
    """

    @master_only
    @override
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
        """Draw a sample and record the image, see :meth:`Visualizer.add_datasample`.

        Args:
            name: Name of the image.
            image: The image, RGB.
            data_sample: A data element, or a dict. Defaults to None.
            draw_gt: Whether to draw fields that begin with ``gt``. Defaults to True.
            draw_pred: Whether to draw fields that begin with ``pred``. Defaults to True.
            show: Whether to show it in a window. Defaults to False.
            wait_time: Timeout of the window in seconds; 0 without limit. Defaults to 0.
            step: Step of the run. Defaults to 0.
        """
        hidden = [] if draw_gt else ["gt"]
        hidden += [] if draw_pred else ["pred"]
        fields = [
            (key, value)
            for key, value in _list_items(data_sample)
            if not key.startswith(tuple(hidden))
        ]
        image = as_image("image", image)
        factor = max(1, -(-_LEAST_SIZE // max(image.shape[:2])))
        lines = list(self._describe(fields))[:_MOST_LINES]
        pixels = image.repeat(factor, axis=0).repeat(factor, axis=1)
        height = pixels.shape[0]
        self.set_image(np.pad(pixels, ((0, _LINE_HEIGHT * len(lines)), (0, 0), (0, 0))))
        for key, color in (("gt_instances", "g"), ("pred_instances", "r")):
            self._draw_boxes(dict(fields).get(key), factor, color)
        for number, line in enumerate(lines):
            place = np.array([3, height + number * _LINE_HEIGHT])
            self.draw_texts(line, place, font_sizes=9, colors="w")
        drawn = self.get_image()
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        self.add_image(name, drawn, step)

    def _describe(self, fields: Sequence[tuple[str, object]]) -> Iterator[str]:
        """Yield texts of the values that are short."""
        for key, value in fields:
            inner = _list_items(value)
            if inner and not _has_boxes(value):
                yield from self._describe([(f"{key}.{name}", each) for name, each in inner])
                continue
            text = self._format(key, value)
            if text is not None:
                yield f"{key}: {text}"

    def _format(self, key: str, value: object) -> str | None:
        if isinstance(value, (str, bool)):
            return str(value)
        numbers = _as_numbers(value)
        if numbers is None or not 0 < numbers.size <= _MOST_VALUES:
            return None
        classes = (self.dataset_meta or {}).get("classes") or ()
        is_label = "label" in key or key.rpartition(".")[2] == "pred"
        texts = []
        for each in numbers.ravel().tolist():
            is_class = is_label and isinstance(each, int) and 0 <= each < len(classes)
            texts.append(str(classes[each]) if is_class else f"{each:.4g}")
        return ", ".join(texts)

    def _draw_boxes(self, instances: Any, factor: int, color: str) -> None:
        if instances is not None and _has_boxes(instances):
            boxes = _as_numbers(dict(_list_items(instances))["bboxes"])
            if boxes is not None and boxes.size and boxes.shape[-1] == 4:  # others are rotated
                self.draw_bboxes(_select_valid(boxes.reshape(-1, 4)) * factor, edge_colors=color)


def _select_valid(boxes: np.ndarray) -> np.ndarray:
    """Leave out boxes that cannot be drawn: a model that is not trained yet predicts such."""
    is_ordered = (boxes[:, :2] <= boxes[:, 2:]).all(axis=1)
    return boxes[np.isfinite(boxes).all(axis=1) & is_ordered]


def _list_items(sample: Any) -> list[tuple[str, object]]:
    """List the fields of a data element or dict; none of another value."""
    if isinstance(sample, Mapping) or (hasattr(sample, "items") and hasattr(sample, "metainfo")):
        return [(str(key), value) for key, value in sample.items()]
    return []


def _has_boxes(value: object) -> bool:
    return "bboxes" in dict(_list_items(value))


def _as_numbers(value: Any) -> np.ndarray | None:
    if hasattr(value, "is_floating_point"):  # a tensor
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    if not isinstance(value, (int, float, np.ndarray, np.generic, list, tuple)):
        return None
    try:
        numbers = np.asarray(value)
    except ValueError:  # of different lengths
        return None
    return numbers if numbers.dtype.kind in "biuf" else None
