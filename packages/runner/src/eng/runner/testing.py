"""Base class of tests that build and run a Runner, with a model, a dataset and a metric to train.

Needs nothing but ``unittest``. This module is not imported by the package itself.
"""

from __future__ import annotations

import copy
import itertools
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias
from unittest import TestCase
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from eng.config import Config
from eng.evaluator import BaseMetric
from eng.logging import MessageHub, MMLogger
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS, DefaultScope, Registry
from eng.utils import DataBatch, DataSample, ManagerMixin, override
from eng.vis import Visualizer

from .runner import Runner
from .types import Settings

__all__ = ["RunnerTestCase", "ToyDataset", "ToyMetric", "ToyModel"]


#: Tensors of a batch, stacked or not.
Batch: TypeAlias = Tensor | Sequence[Tensor]


class ToyModel(BaseModel):
    """Two linear layers, 2 to 2 to 1.

    Args:
        data_preprocessor: See :class:`eng.model.BaseModel`. Defaults to None.
    """

    def __init__(self, data_preprocessor: dict[str, Any] | nn.Module | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.linear1 = nn.Linear(2, 2)
        self.linear2 = nn.Linear(2, 1)

    @override
    def forward(
        self, inputs: Batch, data_samples: Batch | None = None, mode: str = "tensor"
    ) -> dict[str, Tensor] | list[Tensor] | Tensor:
        """Compute the loss of a batch in mode ``'loss'``, its outputs otherwise."""
        outputs: Tensor = self.linear2(self.linear1(_stack(inputs)))
        if mode == "loss":
            labels = _stack(() if data_samples is None else data_samples)
            return {"loss": (labels.view_as(outputs) - outputs).sum()}
        return list(outputs) if mode == "predict" else outputs


def _stack(batch: Batch) -> Tensor:
    return batch if isinstance(batch, Tensor) else torch.stack(list(batch))


class ToyDataset(Dataset[dict[str, Tensor]]):
    """Twelve samples of two numbers, each labelled 1."""

    METAINFO: ClassVar[dict[str, object]] = {}
    data = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    label = torch.ones(12)

    @property
    def metainfo(self) -> dict[str, object]:
        """Meta information of the dataset."""
        return self.METAINFO

    def __len__(self) -> int:
        return len(self.data)

    @override
    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.data[index], "data_samples": self.label[index]}


class ToyMetric(BaseMetric):
    """A metric with a fixed value.

    Args:
        collect_device: See :class:`eng.evaluator.BaseMetric`. Defaults to ``'cpu'``.
        dummy_metrics: Its values by name. Defaults to None: ``{'acc': 1}``.
    """

    def __init__(
        self, collect_device: str = "cpu", dummy_metrics: dict[str, float] | None = None
    ) -> None:
        super().__init__(collect_device=collect_device)
        self.dummy_metrics = dummy_metrics

    @override
    def process(self, data_batch: DataBatch, predictions: Sequence[DataSample]) -> None:
        """Record a batch."""
        self.results.append({"acc": 1})

    @override
    def compute_metrics(self, results: list[dict[str, int]]) -> dict[str, float]:
        """Return the values."""
        return {"acc": 1} if self.dummy_metrics is None else self.dummy_metrics


_TOYS: dict[str, tuple[Registry, type]] = {
    "ToyModel": (MODELS, ToyModel),
    "ToyDataset": (DATASETS, ToyDataset),
    "ToyMetric": (METRICS, ToyMetric),
}
_numbers = itertools.count()


class RunnerTestCase(TestCase):
    """Provides each test with a temporary work directory, registered toys, and two configs.

    Everything is cleared after the test: the directory, instances by name, the toys, the process
    group and its environment.

    Attributes:
        epoch_based_cfg: Trains for 2 epochs, with a validation after each.
        iter_based_cfg: Trains for 12 iterations.
        temp_dir: The temporary directory.
        dist_cfg: Environment variables of a process group of one process, the port apart, which is
            a free one.

    Examples:
        >>> class TestMyHook(RunnerTestCase):
        ...     def test_it_trains(self):
        ...         cfg = copy.deepcopy(self.epoch_based_cfg)
        ...         cfg.custom_hooks = [dict(type='EmptyCacheHook')]
        ...         runner = self.build_runner(cfg)
        ...         runner.train()
        ...         self.assertEqual(runner.iter, 8)
    """

    dist_cfg: ClassVar[dict[str, str | int]] = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": 29600,
        "RANK": "0",
        "WORLD_SIZE": "1",
        "LOCAL_RANK": "0",
    }

    @override
    def setUp(self) -> None:
        """Make the directory and the configs, and register the toys."""
        self.temp_dir = tempfile.mkdtemp(prefix="runner-test-")
        self._environment = patch.dict(os.environ)
        self._environment.start()
        self._before = {
            name: registry.module_dict.get(name) for name, (registry, _) in _TOYS.items()
        }
        for name, (registry, toy) in _TOYS.items():
            registry.module_dict[name] = toy  # also over one that a test suite has registered
        self.epoch_based_cfg = Config(_make_epoch_based(self.temp_dir))
        self.iter_based_cfg = Config(_make_iter_based(self.temp_dir))

    @override
    def tearDown(self) -> None:
        """Remove files, instances and registrations of the test."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        self._environment.stop()
        for name, (registry, _) in _TOYS.items():
            registry.module_dict.pop(name, None)
            before = self._before[name]
            if before is not None:
                registry.module_dict[name] = before
        for logger in list(MMLogger._instance_dict.values()):
            for handler in list(logger.handlers):
                if isinstance(handler, logging.FileHandler):
                    handler.close()
        kinds: tuple[type[ManagerMixin], ...] = (MMLogger, Visualizer, DefaultScope, MessageHub)
        for kind in kinds:
            for name in list(kind._instance_dict):
                kind.drop_instance(name)
        self.clear_work_dir()

    @property
    def experiment_name(self) -> str:
        """A name that no run has had before in this process."""
        return f"{type(self).__name__}_{self._testMethodName}_{os.getpid()}_{next(_numbers)}"

    def build_runner(self, cfg: Settings) -> Runner:
        """Build a runner under a unique name.

        Args:
            cfg: Its config. It is copied.

        Returns:
            The runner.
        """
        own = Config(copy.deepcopy(dict(cfg)))
        own.experiment_name = self.experiment_name
        return Runner.from_cfg(own)

    def setup_dist_env(self) -> None:
        """Set the environment variables of a process group of one process, on a free port."""
        with socket.socket() as free:
            free.bind((self.dist_cfg["MASTER_ADDR"], 0))
            port = free.getsockname()[1]
        environment = {**self.dist_cfg, "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in environment.items()})

    def clear_work_dir(self) -> None:
        """Remove the temporary directory."""
        shutil.rmtree(self.temp_dir, ignore_errors=True)


def _make_epoch_based(folder: str) -> dict[str, Any]:
    loader = {"dataset": {"type": "ToyDataset"}, "batch_size": 3, "num_workers": 0}
    held_out = {**loader, "sampler": {"type": "DefaultSampler", "shuffle": False}}
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    return {
        "work_dir": str(Path(folder) / "work_dir"),
        "model": {"type": "ToyModel"},
        "train_dataloader": {**loader, "sampler": {"type": "DefaultSampler", "shuffle": True}},
        "val_dataloader": held_out,
        "test_dataloader": copy.deepcopy(held_out),
        "val_evaluator": [{"type": "ToyMetric"}],
        "test_evaluator": [{"type": "ToyMetric"}],
        "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}},
        "train_cfg": {"by_epoch": True, "max_epochs": 2, "val_interval": 1},
        "val_cfg": {},
        "test_cfg": {},
        "default_hooks": {"logger": {"type": "LoggerHook", "interval": 1}},
        "custom_hooks": [],
        "env_cfg": {"dist_cfg": {"backend": backend}},
        "experiment_name": "test1",
    }


def _make_iter_based(folder: str) -> dict[str, Any]:
    cfg = _make_epoch_based(folder)
    cfg["train_dataloader"]["sampler"] = {"type": "InfiniteSampler", "shuffle": True}
    cfg["log_processor"] = {"by_epoch": False}
    cfg["train_cfg"] = {"by_epoch": False, "max_iters": 12, "val_interval": 12}
    cfg["default_hooks"] = {
        "logger": {"type": "LoggerHook", "interval": 1},
        "checkpoint": {"type": "CheckpointHook", "interval": 12, "by_epoch": False},
    }
    return cfg
