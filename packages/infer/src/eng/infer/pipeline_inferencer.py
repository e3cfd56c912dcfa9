"""Inferencer of files by the test pipeline of a config."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from eng.dataset import Compose
from eng.registry import INFERENCERS
from eng.structures import to_plain
from eng.utils import DataSample, StateDict, UserError, override

from .config_loader import find_loader
from .infer import BaseInferencer
from .types import ConfigType, InputType, Predictions, Results

__all__ = ["PipelineInferencer"]


@INFERENCERS.register_module()
class PipelineInferencer(BaseInferencer):
    """Predicts files by the ``pipeline`` of ``test_dataloader.dataset`` in the config of a model.

    Its first transform receives a dict with the path under ``img_path`` and ``path``. Transforms
    that load annotations are left out.

    The arguments are those of :class:`BaseInferencer`.

    Raises:
        UserError: If the config has no such pipeline, or the model cannot be tested.
    """

    @override
    def _init_model(self, cfg: ConfigType, weights: str | None, device: str = "cpu") -> nn.Module:
        model = super()._init_model(cfg, weights, device)
        if not hasattr(model, "test_step"):
            raise UserError(
                f"{type(model).__name__} has no test_step(): derive it from eng.model.BaseModel, "
                "or implement the method"
            )
        return model

    @override
    def _init_pipeline(self, cfg: ConfigType) -> Callable[[InputType], DataSample]:
        steps = _find_pipeline(cfg)
        if steps is None:
            raise UserError(
                "the config does not say how a file becomes an input of the model: it needs "
                "inferencer=dict(type=...), a subclass of eng.infer.BaseInferencer that is "
                "registered in eng.registry.INFERENCERS, or a pipeline in test_dataloader.dataset "
                "whose first transform reads the file at results['img_path']"
            )
        compose = Compose([step for step in steps if not _loads_annotations(step)])

        def prepare(path: InputType) -> DataSample:
            found = compose({"img_path": path, "path": path, "img_id": 0, "sample_idx": 0})
            if found is None:
                raise UserError(f"{path}: the pipeline returned None, which is an unusable sample")
            return found

        return prepare

    @override
    def visualize(
        self, inputs: list[InputType], preds: Predictions, show: bool = False, **kwargs: Any
    ) -> list[np.ndarray] | None:
        """Draw nothing: how a prediction looks depends on the task."""
        return None

    @override
    def postprocess(
        self,
        preds: Predictions,
        visualization: list[np.ndarray] | None,
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> Results:
        """Return ``predictions``, as plain data unless data samples are requested."""
        found = preds if return_datasample else [to_plain(each) for each in preds]
        return {"predictions": found}


def _find_pipeline(cfg: ConfigType) -> Sequence[Any] | None:
    """Find the pipeline of the test data, perhaps inside of wrappers of the dataset."""
    for loader in ("test_dataloader", "val_dataloader"):
        for dataset in _walk_datasets((find_loader(cfg, loader) or {}).get("dataset")):
            if isinstance(dataset.get("pipeline"), (list, tuple)):
                return list(dataset["pipeline"])
    pipeline = cfg.get("test_pipeline")
    return list(pipeline) if isinstance(pipeline, (list, tuple)) else None


def _walk_datasets(dataset: object) -> Iterator[StateDict]:
    if isinstance(dataset, (list, tuple)):
        for each in dataset:
            yield from _walk_datasets(each)
    elif isinstance(dataset, Mapping):
        yield dict(dataset)
        yield from _walk_datasets(dataset.get("dataset"))
        yield from _walk_datasets(dataset.get("datasets"))


def _loads_annotations(step: object) -> bool:
    kind = step.get("type") if isinstance(step, Mapping) else type(step)
    return "LoadAnnotations" in str(kind)
