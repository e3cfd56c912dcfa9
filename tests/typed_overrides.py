"""Classes as users write them, with narrower types than their bases. Type checkers accept them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eng.config import Config
from eng.dataset import BaseDataset, ClassBalancedDataset, Compose, ConcatDataset, RepeatDataset
from eng.evaluator import BaseMetric, Evaluator, RunningMetric, get_metric_value
from eng.infer import BaseInferencer
from eng.model import BaseDataPreprocessor, BaseModel, BaseTTAModel, initialize
from eng.optim import DefaultOptimWrapperConstructor, OptimWrapper, build_optim_wrapper
from eng.structures import BaseDataElement
from eng.vis import BaseVisBackend, Visualizer, force_init_env


class Sample(BaseDataElement):
    gt_label: Tensor
    pred_label: Tensor


class Detector(BaseModel):
    def __init__(self) -> None:
        super().__init__(data_preprocessor=dict(type="BaseDataPreprocessor"))
        self.net = nn.Linear(8, 3)

    def forward(
        self, inputs: Tensor, data_samples: list[Sample] | None = None, mode: str = "tensor"
    ) -> dict[str, Tensor] | list[Sample] | Tensor:
        logits: Tensor = self.net(inputs)
        if mode == "loss":
            return {"loss": logits.sum()}
        return data_samples or logits

    def train_step(self, data: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        return super().train_step(data, optim_wrapper)

    def test_step(self, data: dict[str, Any]) -> list[Sample]:
        return super().test_step(data)


class Classifier(BaseModel):
    def forward(
        self, inputs: list[Tensor], data_samples: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor:
        return torch.stack(inputs)


class Preprocessor(BaseDataPreprocessor):
    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        prepared: dict[str, Tensor] = super().forward(data, training)
        return prepared


class Flips(BaseTTAModel):
    def merge_preds(self, data_samples_list: list[list[Sample]]) -> list[Sample]:
        return [each[0] for each in data_samples_list]


class Boxes(BaseDataset):
    METAINFO = {"classes": ("cat", "dog")}  # noqa: RUF012 - as most write it

    def load_data_list(self) -> list[dict[str, Any]]:
        return [{"img_path": "1.jpg"}]

    def parse_data_info(self, raw_data_info: dict[str, Any]) -> dict[str, Any]:
        return raw_data_info

    def get_cat_ids(self, idx: int) -> list[int]:
        return [idx]

    def prepare_data(self, idx: int) -> Sample | None:
        return Sample(metainfo=self.get_data_info(idx))

    def __getitem__(self, idx: int) -> Sample:
        sample: Sample = super().__getitem__(idx)
        return sample


class Accuracy(BaseMetric):
    def process(
        self, data_batch: dict[str, Tensor], data_samples: Sequence[dict[str, Tensor]]
    ) -> None:
        self.results += [each["pred"].equal(each["gt"]) for each in data_samples]

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        return {"accuracy": sum(results) / len(results)}


class RunningAccuracy(RunningMetric):
    def update(self, data_batch: object, data_samples: Sequence[dict[str, Tensor]]) -> None:
        self.sums["all"] += len(data_samples)

    def reduce(self, sums: Any) -> dict[str, float]:
        return {"accuracy": sums["right"] / sums["all"]}


class LayerDecay(DefaultOptimWrapperConstructor):
    def add_params(
        self,
        params: list[dict[str, Any]],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        super().add_params(params, module, prefix, is_dcn_module)


class PrintBackend(BaseVisBackend):
    @property
    @force_init_env
    def experiment(self) -> PrintBackend:
        return self

    def add_config(self, config: Config, **kwargs: Any) -> None: ...

    def add_graph(self, model: nn.Module, data_batch: list[Tensor], **kwargs: Any) -> None: ...

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None: ...

    @force_init_env
    def add_scalar(
        self, name: str, value: int | float | Tensor | np.ndarray, step: int = 0, **kwargs: Any
    ) -> None: ...

    def add_scalars(
        self,
        scalar_dict: dict[str, float],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None: ...


class BoxVisualizer(Visualizer):
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: Sample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        step: int = 0,
    ) -> None:
        self.set_image(image)
        colors = ["r", (0, 0, 255)]
        self.draw_bboxes(torch.zeros(2, 4), edge_colors=["r", (0, 0, 255)]).draw_points([4, 4])
        self.draw_lines([[1, 2], [3, 4]], [[1, 2.5], [3, 4]], line_styles=["-", (0, (3, 1))])
        self.draw_texts(["a", "b"], [(1, 2), (3, 4)], colors=[(1, 2, 3), "g"], bboxes=[{}, {}])
        self.draw_circles([40, 40], radius=12, line_widths=[1, 2.5])
        self.add_scalars({"loss": 0.5, "acc": torch.ones(1)})
        assert colors


class Predictor(BaseInferencer):
    def forward(self, inputs: dict[str, Tensor], **kwargs: Any) -> list[Sample]:
        return []

    def preprocess(
        self, inputs: Any, batch_size: int = 1, **kwargs: Any
    ) -> Iterator[dict[str, Tensor]]:
        yield from super().preprocess(inputs, batch_size, **kwargs)

    def _init_pipeline(self, cfg: Config | dict[str, Any]) -> Compose:
        return Compose([])

    def visualize(
        self, inputs: Sequence[Any], preds: list[Sample], show: bool = False, **kwargs: Any
    ) -> list[np.ndarray] | None:
        return None

    def postprocess(
        self,
        preds: list[Sample],
        visualization: list[np.ndarray] | None,
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return {"predictions": preds}


def use() -> None:
    """Arguments as users pass them."""
    datasets = ConcatDataset([Boxes(), dict(type="Boxes"), RepeatDataset(Boxes(), 2)])
    ClassBalancedDataset(datasets, 0.1)
    Compose([dict(type="Resize"), lambda data: data])
    evaluator = Evaluator([Accuracy(), dict(type="RunningAccuracy")])
    score: float = get_metric_value("accuracy", {"val/accuracy": 0.5})
    wrapper = build_optim_wrapper(Detector(), dict(optimizer=dict(type="SGD", lr=0.1)))
    Detector().train_step({"inputs": torch.zeros(1, 8)}, wrapper)
    initialize(nn.Linear(2, 2), dict(type="Constant", val=1))
    visualizer: BoxVisualizer = BoxVisualizer(vis_backends=[dict(type="LocalVisBackend")])
    visualizer.draw_points([1, 2]).add_datasample("a", np.zeros((2, 2, 3)), Sample())
    evaluator.process([Sample()])
    assert score
