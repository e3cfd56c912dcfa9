"""Recognise digits in files and arrays with a trained model.

python examples/digits/inferencer.py work_dirs/digits/epoch_15.pth FOLDER --out-dir pictures
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import digits  # noqa: F401 - registers the model
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from eng.infer import BaseInferencer
from eng.registry import INFERENCERS

SIZE = 8  # pixels of an image of the training data, in each direction
ENLARGED = 160  # pixels of an image in a picture
CAPTION = 30  # pixels above it


@INFERENCERS.register_module()
class DigitsInferencer(BaseInferencer):
    """Recognises digits, light on dark, in images of any size.

    An input is the path of an image or an array of shape (height, width), of 0 to 255. With
    ``out_dir``, a picture of each input with the digit and its score is saved there.
    """

    visualize_kwargs: ClassVar = {"out_dir"}

    def _init_pipeline(self, cfg: Any) -> Callable[[Any], dict[str, Tensor]]:
        def prepare(image: str | Path | np.ndarray) -> dict[str, Tensor]:
            small = _open(image).resize((SIZE, SIZE), Image.Resampling.BOX)
            return {"inputs": torch.from_numpy(np.array(small, np.float32))[None] / 255}

        return prepare

    def visualize(
        self,
        inputs: list[Any],
        preds: Any,
        show: bool = False,
        out_dir: str | None = None,
        **kwargs: Any,
    ) -> list[np.ndarray] | None:
        """Draw the digit and its score above each image.

        Args:
            inputs: The inputs.
            preds: Their predictions.
            show: Whether to show the pictures. Defaults to False.
            out_dir: Folder to save them in, as ``<name of the file or place>.png``. Defaults to
                None: they are not saved.
            **kwargs: Other arguments, of which there are none.

        Returns:
            The pictures; None if they are neither shown nor saved.
        """
        if self.visualizer is None or not (show or out_dir):
            return None
        pictures = []
        for place, (given, pred) in enumerate(zip(inputs, preds, strict=True)):
            enlarged = _open(given).resize((ENLARGED, ENLARGED), Image.Resampling.NEAREST)
            self.visualizer.set_image(np.pad(np.array(enlarged), ((CAPTION, 0), (0, 0))))
            text = f"{pred['pred']}  {pred['score']:.0%}"
            self.visualizer.draw_texts(text, np.array([4, 2]), font_sizes=20, colors="yellow")
            pictures.append(self.visualizer.get_image())
            name = str(place) if isinstance(given, np.ndarray) else Path(given).stem
            if show:
                self.visualizer.show(win_name=name)
            if out_dir:
                Path(out_dir).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pictures[-1]).save(Path(out_dir) / f"{name}.png")
        return pictures

    def postprocess(
        self,
        preds: list[dict[str, Tensor]],
        visualization: list[np.ndarray] | None,
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Arrange the results.

        Args:
            preds: The predictions.
            visualization: The pictures.
            return_datasample: Whether the predictions keep their tensors. Defaults to False.
            **kwargs: Other arguments, of which there are none.

        Returns:
            ``predictions``, a dict with ``pred`` and ``score`` for each input, and
            ``visualization``.
        """
        predictions = [
            pred if return_datasample else {name: value.item() for name, value in pred.items()}
            for pred in preds
        ]
        return {"predictions": predictions, "visualization": visualization}


def _open(image: str | Path | np.ndarray) -> Image.Image:
    if isinstance(image, np.ndarray):
        return Image.fromarray(image.astype(np.uint8)).convert("L")
    opened: Image.Image
    with Image.open(image) as opened:
        return opened.convert("L")


def main() -> None:
    """Recognise what the command line names and print a line of JSON for each input."""
    parser = argparse.ArgumentParser(description="recognise handwritten digits")
    parser.add_argument("weights", help="checkpoint of a run; its config is in it")
    parser.add_argument("inputs", help="an image, or a folder of images")
    parser.add_argument("--out-dir", help="folder to save pictures in")
    parser.add_argument("--batch-size", type=int, default=32)
    args = parser.parse_args()
    inferencer = DigitsInferencer(weights=args.weights, show_progress=False)
    found = inferencer(args.inputs, batch_size=args.batch_size, out_dir=args.out_dir)
    for prediction in found["predictions"]:
        print(json.dumps(prediction))


if __name__ == "__main__":
    main()
