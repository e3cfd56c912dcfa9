"""Parts of a model are frozen for a part of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from eng.hooks import FreezeHook, Hook
from eng.model import ModelWithLoss
from eng.runner import Runner


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
        self.backbone_head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.backbone_head(self.backbone(x))
        return out


class Watch(Hook):
    """Notes the parts of the model that change in each epoch or iteration."""

    def __init__(self, by_epoch: bool = True) -> None:
        self.by_epoch = by_epoch
        self.changed: list[set[str]] = []

    def before_train(self, runner: Any) -> None:
        self.known = {k: v.clone() for k, v in runner.model.net.state_dict().items()}

    def look(self, runner: Any) -> None:
        now = runner.model.net.state_dict()
        parts = {k.partition(".")[0] for k, v in now.items() if not torch.equal(v, self.known[k])}
        self.changed.append(parts)
        self.before_train(runner)

    def after_train_epoch(self, runner: Any) -> None:
        if self.by_epoch:
            self.look(runner)

    def after_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        if not self.by_epoch:
            self.look(runner)


def train(folder: Path, hook: FreezeHook, watch: Watch, epochs: int = 3, **settings: Any) -> Runner:
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(16, 4), torch.randint(2, (16,)))
    model = ModelWithLoss(Net(), nn.CrossEntropyLoss())
    runner = Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader=DataLoader(data, 8),
        optim_wrapper=torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1),
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        custom_hooks=[hook, watch],
        randomness={"seed": 0},
        **settings,
    )
    runner.train()
    return runner


BOTH = {"backbone", "backbone_head"}


def test_frozen_until_an_epoch(tmp_path: Path) -> None:
    watch = Watch()
    runner = train(tmp_path, FreezeHook("net.backbone", until=2), watch)
    assert watch.changed == [{"backbone_head"}, {"backbone_head"}, BOTH]
    assert all(parameter.requires_grad for parameter in runner.model.parameters())


def test_frozen_until_an_iteration(tmp_path: Path) -> None:
    watch = Watch(by_epoch=False)
    train(tmp_path, FreezeHook([r"net\.backbone\.[01]"], until=3, by_epoch=False), watch)
    assert watch.changed == [{"backbone_head"}] * 3 + [BOTH] * 3


def test_statistics_of_norms_move_on_request(tmp_path: Path) -> None:
    watch = Watch()
    train(tmp_path, FreezeHook("net.backbone", norm_eval=False), watch, epochs=1)
    assert watch.changed == [BOTH]


def test_a_resumed_run_freezes_what_is_frozen_there(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", FreezeHook("net.backbone", until=2), Watch())
    watch = Watch()
    train(tmp_path / "parts", FreezeHook("net.backbone", until=2), Watch(), epochs=1)
    parts = train(tmp_path / "parts", FreezeHook("net.backbone", until=2), watch, resume=True)
    assert watch.changed == [{"backbone_head"}, BOTH]
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, parts.model.state_dict()[name])


def test_a_name_that_nothing_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no parameter of ModelWithLoss matches 'back'.*'net'"):
        train(tmp_path, FreezeHook("back"), Watch())
