"""Checkpoints with every part, name and class that MMEngine's have, written by hand."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

MODULE = "mmengine.logging.history_buffer"


class OriginalHistory:
    """Pickled under the name, and with the fields, of the original's history of a scalar."""

    __module__ = MODULE
    __qualname__ = "HistoryBuffer"

    def __init__(self, values: list[float]) -> None:
        self.max_length = 1000000
        self._log_history = np.array(values)
        self._count_history = np.ones(len(values), dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        names = ("min", "max", "mean", "current")
        methods = {name: getattr(OriginalHistory, name) for name in names}
        return {**self.__dict__, "statistics_methods": methods}

    def min(self) -> None: ...
    def max(self) -> None: ...
    def mean(self) -> None: ...
    def current(self) -> None: ...


for each in ("min", "max", "mean", "current"):
    getattr(OriginalHistory, each).__qualname__ = f"HistoryBuffer.{each}"
    getattr(OriginalHistory, each).__module__ = MODULE


@contextmanager
def original_names() -> Iterator[None]:
    """Let the classes be found where the original has them, while a file is written."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mmengine", "mmengine.logging", MODULE):
            patch.setitem(sys.modules, name, ModuleType(name))
        module: Any = sys.modules[MODULE]
        module.HistoryBuffer = OriginalHistory
        yield


def save(checkpoint: dict[str, Any], path: Path) -> str:
    """Write a checkpoint; returns its path."""
    with original_names():
        torch.save(checkpoint, path)
    return str(path)


def of_mmengine(
    weights: dict[str, torch.Tensor], *, epoch: int, iteration: int, version: str = "0.10.7"
) -> dict[str, Any]:
    """A checkpoint as a run by epochs saves it, with two schedulers and an optimizer of one group.

    Args:
        weights: Weights of the model: of four parameters.
        epoch: Epochs done.
        iteration: Iterations done.
        version: Version of the engine. That of the first generation has less in it.
    """
    losses = [4.0 - 0.25 * step for step in range(iteration)]
    rates = [0.005 + 0.0025 * step for step in range(iteration)]
    scalars = OrderedDict(
        (name, OriginalHistory(values))
        for name, values in {
            "train/lr": rates,
            "train/data_time": [0.01] * iteration,
            "train/loss": losses,
            "train/time": [0.02] * iteration,
            "val/line/loss": [1.5, 1.25][:epoch],
        }.items()
    )
    info = OrderedDict(
        cfg="model = dict(type='LineModel')\n",
        seed=1,
        experiment_name="line_20240131_101500",
        mmengine_version=version,
        epoch=epoch - 1,
        iter=iteration - 1,
        max_epochs=4,
        max_iters=20,
        loop_stage="train",
        dataset_meta={"task": "line", "classes": ("a", "b"), "palette": np.array([[1, 2, 3]])},
        last_ckpt=f"/runs/line/epoch_{epoch}.pth",
        keep_ckpt_ids=[1, 2],
        best_score=1.25,
        best_ckpt="/runs/line/best_line_loss_epoch_2.pth",
    )
    meta = {
        "epoch": epoch,
        "iter": iteration,
        "cfg": info["cfg"],
        "dataset_meta": info["dataset_meta"],
        "seed": 1,
        "experiment_name": info["experiment_name"],
        "time": "20240131_101507",
        "mmengine_version": version,
    }
    if version.startswith("0.2"):
        meta["hook_msgs"] = {}
        del meta["mmengine_version"], info["mmengine_version"], info["loop_stage"]
    return {
        "meta": meta,
        "state_dict": OrderedDict(weights),
        "message_hub": {
            "log_scalars": scalars,
            "runtime_info": info,
            "resumed_keys": OrderedDict((key, True) for key in [*scalars, *info]),
        },
        "optimizer": {
            "state": {
                number: {"momentum_buffer": torch.full_like(weight, 0.125)}
                for number, weight in enumerate(weights.values())
            },
            "param_groups": [
                {
                    "lr": 0.05,
                    "momentum": 0.9,
                    "dampening": 0,
                    "weight_decay": 0,
                    "nesterov": False,
                    "maximize": False,
                    "foreach": None,
                    "differentiable": False,
                    "initial_lr": 0.05,
                    "params": list(range(len(weights))),
                }
            ],
        },
        "param_schedulers": [
            {
                "start_factor": 0.1,
                "end_factor": 1.0,
                "total_iters": 7,
                "param_name": "lr",
                "begin": 0,
                "end": 8,
                "by_epoch": False,
                "base_values": [0.05],
                "last_step": min(iteration, 7),
                "_global_step": iteration,
                "verbose": False,
                "_last_value": [0.05],
            },
            {
                "milestones": Counter({3: 1}),
                "gamma": 0.1,
                "param_name": "lr",
                "begin": 0,
                "end": 4,
                "by_epoch": True,
                "base_values": [0.05],
                "last_step": epoch,
                "_global_step": epoch,
                "verbose": False,
                "_last_value": [0.05],
            },
        ],
    }
