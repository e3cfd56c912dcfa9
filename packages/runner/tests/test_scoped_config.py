"""Configs whose parts say the scope of the package that they come from, by `_scope_`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from eng.config import Config
from eng.model import BaseModel
from eng.registry import (
    DATASETS,
    FUNCTIONS,
    LOOPS,
    METRICS,
    MODELS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    DefaultScope,
    Registry,
)
from eng.runner import FlexibleRunner, IterBasedTrainLoop, Runner
from eng.vis import LocalVisBackend, Visualizer

SCOPE = "scoped_client"


def with_scope(value: Any) -> Any:
    """A config in which each dict with a type has the scope, as `_base_ = 'package::…'` gives."""
    if isinstance(value, Mapping):
        inner = {key: with_scope(each) for key, each in value.items()}
        return {**inner, "_scope_": SCOPE} if "type" in inner else inner
    return [with_scope(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", autouse=True)
def client() -> None:
    """Parts of a package with registries of its own, as those of the OpenMMLab family have."""
    own = {
        parent: Registry(parent.name, scope=SCOPE, parent=parent)
        for parent in (
            *(DATASETS, FUNCTIONS, LOOPS, METRICS, MODELS, TRANSFORMS, VISBACKENDS, VISUALIZERS),
        )
    }

    @own[FUNCTIONS].register_module()
    def collate_scoped(samples: list[Any], factor: float) -> Any:
        return [torch.stack(samples) * factor]

    @own[FUNCTIONS].register_module()
    def start_scoped(worker_id: int) -> None:
        pass

    @own[VISBACKENDS].register_module()
    class ScopedBackend(LocalVisBackend):
        pass

    @own[VISUALIZERS].register_module()
    class ScopedVisualizer(Visualizer):
        pass

    @own[LOOPS].register_module()
    class ScopedLoop(IterBasedTrainLoop):
        pass

    @own[MODELS].register_module()
    class ScopedModel(BaseModel):
        def __init__(self, init_cfg: Any = None) -> None:
            super().__init__(init_cfg=init_cfg)
            self.layer = nn.Linear(2, 1)

        def forward(self, inputs: torch.Tensor, mode: str = "tensor") -> Any:
            return {"loss": self.layer(inputs).square().mean()}

    @own[DATASETS].register_module()
    class ScopedDataset(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> torch.Tensor:
            return torch.full((2,), float(index))


def make_config(work_dir: str, loop: str) -> dict[str, Any]:
    return {
        "work_dir": work_dir,
        "model": {
            "type": "ScopedModel",
            "init_cfg": {"type": "Constant", "val": 0.5, "layer": "Linear"},
        },
        "train_dataloader": {
            "batch_size": 2,
            "num_workers": 0,
            "dataset": {"type": "ScopedDataset"},
            "sampler": {"type": "InfiniteSampler", "shuffle": False},
            "collate_fn": {"type": "collate_scoped", "factor": 2.0},
            "worker_init_fn": {"type": "start_scoped"},
        },
        "optim_wrapper": {
            "type": "OptimWrapper",
            "optimizer": {"type": "SGD", "lr": 0.1},
            "clip_grad": {"type": "value", "clip_value": 0.5},
        },
        "param_scheduler": [{"type": "PolyLR", "by_epoch": False, "end": 3}],
        "train_cfg": {"type": loop, "max_iters": 3, "val_interval": 5},
        "log_processor": {"type": "LogProcessor", "by_epoch": False},
        "visualizer": {
            "type": "ScopedVisualizer",
            "vis_backends": [{"type": "ScopedBackend"}],
        },
        "default_hooks": {"checkpoint": {"type": "CheckpointHook", "interval": 5}},
        "custom_hooks": [
            {
                "type": "ProfilerHook",
                "by_epoch": False,
                "profile_times": 1,
                "on_trace_ready": {"type": "log_trace", "sort_by": "self_cpu_time_total"},
            }
        ],
    }


@pytest.mark.parametrize("loop", ["IterBasedTrainLoop", "ScopedLoop"])
def test_each_part_may_say_its_scope(tmp_path: Any, loop: str) -> None:
    cfg = Config(with_scope(make_config(str(tmp_path), loop)))
    runner = Runner.from_cfg(cfg)
    assert runner.max_iters == 3
    model = runner.train()
    assert runner.iter == 3
    # The mean gradient is clipped to 0.5 in each of the three steps.
    assert model.layer.weight[0, 0].item() < 0.5
    assert type(runner.visualizer).__name__ == "ScopedVisualizer"


@pytest.mark.parametrize("loop", ["IterBasedTrainLoop", "ScopedLoop"])
def test_parts_of_the_default_scope(tmp_path: Any, loop: str) -> None:
    cfg = Config({**make_config(str(tmp_path), loop), "default_scope": SCOPE})
    runner = Runner.from_cfg(cfg)
    assert runner.max_iters == 3
    runner.train()
    assert runner.iter == 3


def test_a_misspelt_setting_of_the_loop_is_refused(tmp_path: Any) -> None:
    cfg = with_scope(make_config(str(tmp_path), "IterBasedTrainLoop"))
    cfg["train_cfg"]["val_intervall"] = 3
    with pytest.raises(ValueError, match="did you mean 'val_interval'"):
        Runner.from_cfg(Config(cfg))
    assert DefaultScope.get_current_instance() is None


@pytest.mark.parametrize("kind", [Runner, FlexibleRunner])
def test_a_config_may_say_that_it_has_no_default_scope(kind: Any, job: dict[str, Any]) -> None:
    runner = kind.from_cfg({**job, "default_scope": None})
    assert runner.default_scope.scope_name == "mmengine"
    runner.train()
    assert runner.iter == 15
