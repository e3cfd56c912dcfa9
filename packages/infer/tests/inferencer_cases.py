"""A model and inferencers that the tests of this package build."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from eng.infer import BaseInferencer
from eng.registry import FUNCTIONS, MODELS


@MODELS.register_module(force=True)
class InferLine(nn.Module):
    """Multiplies by its weight."""

    def __init__(self, factor: float = 2.0, pretrained: str | None = None) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.pretrained = pretrained

    def test_step(self, data: Any) -> list[torch.Tensor]:
        return [value * self.factor for value in data]


@FUNCTIONS.register_module(force=True)
def infer_scaled_collate(batch: list[Any], scale: float = 1.0) -> list[torch.Tensor]:
    return [torch.as_tensor(float(value)) * scale for value in batch]


class LineInferencer(BaseInferencer):
    """Records what each step gets."""

    preprocess_kwargs: ClassVar = {"pa"}
    forward_kwargs: ClassVar = {"fa"}
    visualize_kwargs: ClassVar = {"va"}
    postprocess_kwargs: ClassVar = {"po"}

    def _init_pipeline(self, cfg: Any) -> Any:
        self.calls: list[tuple[Any, ...]] = []
        return float

    def preprocess(self, inputs: Any, batch_size: int = 1, **kwargs: Any) -> Any:
        self.calls.append(("preprocess", kwargs))
        return super().preprocess(inputs, batch_size)

    def forward(self, inputs: Any, **kwargs: Any) -> Any:
        self.calls.append(("forward", len(inputs), kwargs, torch.is_grad_enabled()))
        return super().forward(inputs)

    def visualize(self, inputs: Any, preds: Any, show: bool = False, **kwargs: Any) -> Any:
        self.calls.append(("visualize", len(inputs), len(preds), show, kwargs))
        return [np.zeros((1, 1, 3), np.uint8)] * len(preds)

    def postprocess(
        self, preds: Any, visualization: Any, return_datasample: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        self.calls.append(("postprocess", return_datasample, kwargs))
        predictions = preds if return_datasample else [float(pred) for pred in preds]
        return {"predictions": predictions, "visualization": visualization}


CFG: dict[str, Any] = {
    "model": {"type": "InferLine"},
    "test_dataloader": {"collate_fn": {"type": "infer_scaled_collate"}},
}
