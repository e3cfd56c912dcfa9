"""Notes of errors that frequent mistakes lead to."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eng.evaluator import BaseMetric
from eng.model import BaseModel
from eng.runner import Runner

DATA = [{"inputs": torch.zeros(3, 2, 2), "data_samples": 1}] * 4
STACKED = {"collate_fn": {"type": "default_collate"}}


class Net(BaseModel):
    def __init__(self, layer: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = layer or nn.Linear(2, 2)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.layer(inputs)
        return {"loss": out.mean()} if mode == "loss" else list(out)


class Flat(Net):
    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return {"loss": self.layer(inputs.view(4, 2)).mean()}


class Labels(Net):
    def forward(this, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return {"loss": F.cross_entropy(torch.stack(inputs)[:, :, 0, 0], data_samples)}


class Other(Net):
    """Takes a list, as it should, and fails for another reason."""

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return {"loss": torch.stack(inputs) + None}


class NoMode(Net):
    def forward(self, inputs: Tensor, data_samples: Any = None) -> Any:  # type: ignore[override]
        return {"loss": inputs}


class OtherNames(Net):
    def forward(self, image: Tensor, label: Any = None, mode: str = "tensor") -> Any:  # type: ignore[override]
        return {"loss": image}


class TensorLoss(Net):
    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return self.layer(inputs).mean()


class Counter(BaseMetric):
    def process(self, data_samples: Any) -> None:  # type: ignore[override]
        self.results.append(1)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"count": len(results)}


def fail(tmp_path: Any, model: nn.Module, loader: dict[str, Any], **more: Any) -> str:
    """Train, and return the error as it is printed below its traceback."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the text is compared
        Runner(
            model,
            str(tmp_path),
            {"batch_size": 2, "dataset": DATA, **loader},
            train_cfg={"by_epoch": True, "max_epochs": 1},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
            **more,
        ).train()
    return "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize("model", [Net(), Net(nn.Conv2d(3, 1, 1)), Flat(), Labels()])
def test_a_batch_that_is_a_list(tmp_path: Any, model: nn.Module) -> None:
    text = fail(tmp_path, model, {})
    assert "'inputs' is a list of 2 tensors, one of each sample: the default collate_fn" in text
    assert "Write collate_fn=dict(type='default_collate') in train_dataloader" in text


def test_no_note_for_other_errors(tmp_path: Any) -> None:
    assert "collate_fn" not in fail(tmp_path, Other(), {})


@pytest.mark.parametrize(
    ("model", "cure"),
    [
        (NoMode(), "write def forward(self, inputs, data_samples=None, mode='tensor')"),
        (
            OtherNames(),
            "it has inputs, data_samples; forward() of OtherNames takes image, label, mode",
        ),
        (TensorLoss(), "must return a dict of losses by name in mode 'loss', such as dict(loss="),
        (
            nn.Linear(2, 2),
            "Linear has no train_step(): implement it, wrap the module as eng.model.",
        ),
    ],
)
def test_a_model_that_does_not_match(tmp_path: Any, model: nn.Module, cure: str) -> None:
    assert cure in fail(tmp_path, model, STACKED)


def test_shuffle_with_a_sampler(tmp_path: Any) -> None:
    text = fail(
        tmp_path, Net(), {**STACKED, "shuffle": True, "sampler": {"type": "DefaultSampler"}}
    )
    assert "write sampler=dict(type='DefaultSampler', shuffle=True)" in text


def test_shuffle_without_a_sampler(tmp_path: Any) -> None:
    loader = {"batch_size": 2, "dataset": DATA, "shuffle": True}
    assert Runner.build_dataloader(loader).sampler.shuffle  # type: ignore[attr-defined]


def test_arguments_of_a_metric(tmp_path: Any) -> None:
    val = {"batch_size": 2, "dataset": DATA, **STACKED}
    text = fail(
        tmp_path,
        Net(),
        STACKED,
        val_dataloader=val,
        val_cfg={},
        val_evaluator={"type": Counter},
    )
    assert "write def process(self, data_batch, data_samples)" in text
