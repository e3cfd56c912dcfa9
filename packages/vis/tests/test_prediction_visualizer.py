"""Pictures of predictions of any task, written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from eng.vis import ImageFolderBackend, PredictionVisualizer

IMAGE = np.full((30, 40, 3), 128, np.uint8)


class Sample(dict):
    """Looks like a data element."""

    metainfo: ClassVar[dict[str, Any]] = {}


def draw(folder: Path, sample: Any, **more: Any) -> np.ndarray:
    backends = [{"type": "ImageFolderBackend", "save_dir": str(folder)}]
    visualizer = PredictionVisualizer(vis_backends=backends)
    visualizer.dataset_meta = {"classes": ("cat", "dog")}
    visualizer.add_datasample("a/b", IMAGE, sample, **more)
    return np.asarray(Image.open(folder / "a" / "b.png"))


def test_small_images_are_enlarged_and_values_are_written_below(tmp_path: Path) -> None:
    bare = draw(tmp_path, None)
    assert bare.shape == (180, 240, 3)
    assert (bare == 128).all()
    with_text = draw(tmp_path, {"pred_label": torch.tensor(1), "score": 0.5, "mask": IMAGE})
    assert with_text.shape == (220, 240, 3)  # two lines of text
    assert with_text[180:].max() > 128
    assert (with_text[:180] == 128).all()
    other = draw(tmp_path, {"pred_label": torch.tensor(0), "score": 0.5})
    assert (other[200:] == with_text[200:]).all()
    assert (other[180:200] != with_text[180:200]).any()


def test_boxes(tmp_path: Path) -> None:
    box = torch.tensor([[10.0, 10.0, 20.0, 20.0]])
    sample = Sample(pred_instances=Sample(bboxes=box), gt_instances=Sample(bboxes=box + 2))
    both = draw(tmp_path, sample)
    assert both.shape == (180, 240, 3)
    assert (both != 128).any()
    alone = draw(tmp_path, sample, draw_gt=False)
    assert (both != alone).any()
    assert (draw(tmp_path, sample, draw_gt=False, draw_pred=False) == 128).all()


@pytest.mark.parametrize(
    "bad",
    [[20.0, 10, 10, 20], [float("nan")] * 4, [0, 0, float("inf"), 9], [1.0, 2, 3, 4, 0.5]],
    ids=["turned", "nan", "infinite", "rotated"],
)
def test_boxes_that_cannot_be_drawn_are_left_out(tmp_path: Path, bad: list[float]) -> None:
    good = [10.0, 10, 20, 20]
    expected = draw(tmp_path, Sample(pred_instances=Sample(bboxes=torch.tensor([good]))))
    rows = [good, bad] if len(bad) == 4 else [bad]
    drawn = draw(tmp_path, Sample(pred_instances=Sample(bboxes=torch.tensor(rows))))
    assert (drawn == (expected if len(bad) == 4 else 128)).all()


def test_predictions_in_half_precision(tmp_path: Path) -> None:
    sample = {"pred_score": torch.tensor([0.5, 0.25])}
    halves = {"pred_score": torch.tensor([0.5, 0.25], dtype=torch.bfloat16)}
    assert (draw(tmp_path, halves) == draw(tmp_path, sample)).all()


@pytest.mark.parametrize("image", [IMAGE[..., 0], torch.from_numpy(IMAGE), IMAGE.tolist()])
def test_images_of_any_form(tmp_path: Path, image: Any) -> None:
    backends = [{"type": "ImageFolderBackend", "save_dir": str(tmp_path)}]
    PredictionVisualizer(vis_backends=backends).add_datasample("a", image)
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn.shape == (180, 240, 3)
    assert (drawn == 128).all()


def test_names_stay_in_the_folder(tmp_path: Path) -> None:
    backend = ImageFolderBackend(str(tmp_path / "images"))
    assert backend.experiment == str(tmp_path / "images")
    for name in ("../a", "/a"):
        with pytest.raises(ValueError, match="must have a name within"):
            backend.add_image(name, IMAGE)
    assert not (tmp_path / "images").exists()
