"""Code of the kind that clients write, run by pytest in their environment."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import mmengine
import numpy as np
import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine import Config, ConfigDict
from mmengine.dataset import BaseDataset, Compose
from mmengine.evaluator import BaseMetric
from mmengine.fileio import BaseStorageBackend, get, get_text, put, register_backend
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, EMAHook, Hook, LoggerHook
from mmengine.hub import get_config, get_model
from mmengine.model import BaseModel
from mmengine.optim import _ParamScheduler
from mmengine.registry import (
    DATASETS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    RUNNERS,
    VISBACKENDS,
    VISUALIZERS,
    Registry,
    init_default_scope,
)
from mmengine.runner import EpochBasedTrainLoop, LogProcessor, Runner, load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint, _load_checkpoint_with_prefix
from mmengine.visualization import BaseVisBackend, Visualizer
from mmengine.visualization.vis_backend import force_init_env
from torch import nn


@LOG_PROCESSORS.register_module()
class ClientLog(LogProcessor):
    def __init__(
        self, window_size: int = 10, by_epoch: bool = True, custom_cfg: Any = None
    ) -> None:
        super().__init__(window_size, by_epoch, custom_cfg, 4)

    def get_log_after_iter(self, runner: Any, batch_idx: int, mode: str) -> Any:
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        return tag, f"CLIENT {text}"


@VISBACKENDS.register_module()
class ClientBackend(BaseVisBackend):
    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self.seen: list[str] = []

    def _init_env(self) -> None:
        self.seen.append("start")

    @property
    @force_init_env
    def experiment(self) -> Any:
        return self

    @force_init_env
    def add_config(self, config: Any, **kwargs: Any) -> None:
        self.seen.append("config")

    @force_init_env
    def add_scalars(self, scalar_dict: Any, step: int = 0, file_path: Any = None, **_: Any) -> None:
        self.seen.extend(scalar_dict)


@VISUALIZERS.register_module()
class ClientVisualizer(Visualizer):
    def __init__(
        self, name: str, image: Any = None, vis_backends: Any = None, save_dir: Any = None
    ):
        super().__init__(name, image, vis_backends, save_dir)

    @mmengine.dist.master_only
    def add_datasample(self, name: str, image: Any, data_sample: Any = None, **_: Any) -> None:
        self.set_image(image)
        self.draw_bboxes(np.array([[1, 1, 5, 5]]))
        self.add_image(name, self.get_image())


@LOOPS.register_module()
class ClientLoop(EpochBasedTrainLoop):
    def __init__(self, runner: Any, dataloader: Any, max_epochs: int, val_begin: int = 1) -> None:
        super().__init__(runner, dataloader, max_epochs, val_begin, 1, None)

    def run_epoch(self) -> None:
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Any) -> None:
        self.runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        outputs = self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        words = {"batch_idx": idx, "data_batch": data_batch, "outputs": outputs}
        self.runner.call_hook("after_train_iter", **words)
        self._iter += 1


@DATASETS.register_module()
class ClientData(BaseDataset):
    METAINFO: ClassVar = {"classes": ("a", "b")}

    def load_data_list(self) -> list[dict[str, Any]]:
        return [{"x": torch.rand(3), "y": torch.rand(1)} for _ in range(8)]


@MODELS.register_module()
class ClientModel(BaseModel):
    def __init__(self, data_preprocessor: Any = None, init_cfg: Any = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.layer = nn.Linear(3, 1)

    def forward(self, x: Any, y: Any, sample_idx: Any = None, mode: str = "tensor") -> Any:
        out = self.layer(torch.stack(x))
        if mode == "loss":
            return {"loss": (out - torch.stack(y)).pow(2).mean(), "acc": torch.tensor(0.5)}
        return list(out)

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        with optim_wrapper.optim_context(self):
            losses = self._run_forward(self.data_preprocessor(data, True), mode="loss")
        loss, log = self.parse_losses(losses)
        optim_wrapper.update_params(loss)
        return log


@METRICS.register_module()
class ClientMetric(BaseMetric):
    default_prefix = "client"

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(float(each) for each in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"mean": float(np.mean(results))}


@HOOKS.register_module()
class ClientHook(Hook):
    priority = "LOW"

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        runner.message_hub.update_info("seen", sorted(metrics))

    def before_save_checkpoint(self, runner: Any, checkpoint: Any) -> None:
        checkpoint["client"] = runner.message_hub.get_info("seen")


@RUNNERS.register_module()
class ClientRunner(Runner):
    @classmethod
    def from_cfg(cls, cfg: Any) -> Any:
        runner = super().from_cfg(cfg)
        runner.is_of_client = True
        return runner


def make_loader(shuffle: bool) -> dict[str, Any]:
    return {
        "batch_size": 2,
        "num_workers": 0,
        "dataset": {"type": "ClientData", "ann_file": "", "pipeline": []},
        "sampler": {"type": "DefaultSampler", "shuffle": shuffle},
    }


def test_a_run_of_parts_that_a_client_registers(tmp_path: Path, capsys: Any) -> None:
    cfg = Config(
        {
            "model": {"type": "ClientModel"},
            "work_dir": str(tmp_path),
            "default_scope": "mmengine",
            "runner_type": "ClientRunner",
            "train_dataloader": make_loader(True),
            "val_dataloader": make_loader(False),
            "train_cfg": {"type": "ClientLoop", "max_epochs": 2},
            "val_cfg": {"type": "ValLoop"},
            "val_evaluator": {"type": "mmengine.ClientMetric"},
            "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}},
            "default_hooks": {
                "logger": {"type": "LoggerHook", "interval": 1},
                "checkpoint": {
                    "type": "CheckpointHook",
                    "save_best": "client/mean",
                    "rule": "less",
                },
            },
            "custom_hooks": [{"type": "ClientHook"}, {"type": "EMAHook"}],
            "log_processor": {"type": "ClientLog"},
            "visualizer": {"type": "ClientVisualizer", "vis_backends": [{"type": "ClientBackend"}]},
            "randomness": {"seed": 1},
        }
    )
    cfg.visualizer.name = "visualizer"
    runner = RUNNERS.build(cfg)
    runner.train()
    assert runner.is_of_client
    assert "CLIENT Epoch(train)" in capsys.readouterr().out
    backend = runner.visualizer._vis_backends["ClientBackend"]
    assert backend.seen[:2] == ["start", "config"]
    assert {"loss", "lr", "client/mean"} <= set(backend.seen)
    runner.visualizer.add_datasample("a", np.zeros((20, 20, 3), np.uint8))
    saved = torch.load(tmp_path / "epoch_2.pth", weights_only=False)
    assert saved["client"] == ["client/mean"]
    cfg.merge_from_dict({"resume": True, "train_cfg.max_epochs": 3, "experiment_name": "again"})
    resumed = RUNNERS.build(cfg)
    resumed.train()
    assert resumed.epoch == 3


def test_hooks_and_schedules_by_the_documented_positions() -> None:
    class Saving(CheckpointHook):
        def __init__(self, *args: Any, mine: int = 0, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    assert Saving(1, True, True, True, None, 3, mine=2).max_keep_ckpts == 3
    assert LoggerHook(10, True, 100, None, ".json", True).interval == 10
    assert EarlyStoppingHook("loss", "less", 0.1, False, True, 7).patience == 7
    assert EMAHook("ExponentialMovingAverage", True, 0, 1).begin_epoch == 1

    class Halving(_ParamScheduler):
        def __init__(self, optimizer: Any, param_name: str, by: float, *args: Any, **kw: Any):
            self.by = by
            super().__init__(optimizer, param_name, *args, **kw)

        def _get_value(self) -> list[float]:
            if self.last_step == 0:
                return [group[self.param_name] for group in self.optimizer.param_groups]
            return [group[self.param_name] * self.by for group in self.optimizer.param_groups]

    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)
    schedule = Halving(optimizer, "lr", 0.5, begin=0, end=5, by_epoch=False)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_registries_of_a_client() -> None:
    mine = Registry("client model", parent=MODELS, scope="a_client", locations=[])
    mine.register_module(name=["A", "B"], module=nn.Linear)
    layer = {"type": "a_client.A", "in_features": 1, "out_features": 2}
    assert isinstance(MODELS.build(layer), nn.Linear)
    assert MODELS.get("a_client.B") is mine.get("B")
    assert mine.root is MODELS
    assert isinstance(MODELS.build({"type": "mmengine.ClientModel"}), ClientModel)
    assert ConvModule(3, 4, 3, norm_cfg={"type": "BN"})(torch.rand(1, 3, 8, 8)).shape[1] == 4


def test_configs(tmp_path: Path) -> None:
    cfg = Config({"a": 1, "b": {"c": [{"type": "X"}, (1, 2)]}})
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(cfg, protocol))
        assert loaded == cfg
        assert isinstance(loaded.b.c[0], ConfigDict)
    path = tmp_path / "old.py"
    path.write_text("_base_ = 'mmseg::_base_/default_runtime.py'\nx = _base_.default_scope\n")
    assert Config.fromfile(path).x == "mmseg"
    assert get_config("mmseg::unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64.py").model.type
    model = get_model("mmpretrain::resnet/resnet18_8xb16_cifar10.py")
    assert type(model).__name__ == "ImageClassifier"


def test_checkpoints(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state = model.state_dict()
    torch.save({"module." + key: value for key, value in state.items()}, tmp_path / "a.pth")
    assert load_checkpoint(model, str(tmp_path / "a.pth"), "cpu", True)
    prefixed = {"backbone." + key: value for key, value in state.items()}
    torch.save({"state_dict": prefixed}, tmp_path / "b.pth")
    path = str(tmp_path / "b.pth")
    assert set(_load_checkpoint_with_prefix("backbone.", path, map_location="cpu")) == set(state)
    assert set(_load_checkpoint(path, map_location="cpu")["state_dict"]) == set(prefixed)


def test_files_progress_and_processes(tmp_path: Path, monkeypatch: Any) -> None:
    put(b"abc", str(tmp_path / "x" / "y.bin"))
    assert get(str(tmp_path / "x" / "y.bin"), backend_args={"backend": "local"}) == b"abc"

    @register_backend("client", prefixes="client")
    class Memory(BaseStorageBackend):
        def get(self, filepath: str) -> bytes:
            return b"m"

        def get_text(self, filepath: str, encoding: str = "utf-8") -> str:
            return "m"

    assert (get("client://a"), get_text("client://a")) == (b"m", "m")
    with (tmp_path / "progress").open("w") as file:
        assert list(mmengine.track_iter_progress((iter([1, 2]), 2), file=file)) == [1, 2]
        assert mmengine.track_progress(abs, [-1, 2], file=file) == [1, 2]
    assert mmengine.dist.get_dist_info() == (0, 1)
    assert mmengine.dist.collect_results([1, 2, 3], 2, "cpu") == [1, 2]


@pytest.mark.parametrize("scope", ["mmseg", "mmpretrain"])
def test_transforms_of_a_scope(tmp_path: Path, scope: str) -> None:
    import mmcv

    mmcv.imwrite(np.zeros((10, 10, 3), np.uint8), str(tmp_path / "a.png"))
    init_default_scope(scope)
    steps: list[dict[str, Any]] = [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "scale": (6, 6)},
        {"type": "RandomChoice", "transforms": [[{"type": "CenterCrop", "crop_size": 4}]]},
    ]
    assert Compose(steps)({"img_path": str(tmp_path / "a.png")})["img"].shape == (4, 4, 3)
