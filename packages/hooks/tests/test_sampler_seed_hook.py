"""The order of samples follows the epoch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch.utils.data import BatchSampler, DataLoader

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.dataset import DefaultSampler
from eng.hooks import DistSamplerSeedHook


@pytest.mark.parametrize("batches", [True, False])
def test_the_loader_of_the_loop_is_told_the_epoch(tmp_path: Path, batches: bool) -> None:
    sampler = DefaultSampler(range(8), shuffle=True, seed=0)  # type: ignore[arg-type]
    settings: dict[str, Any] = {"sampler": sampler}
    if batches:
        settings = {"batch_sampler": BatchSampler(sampler, 2, drop_last=False)}
    loader = DataLoader(range(8), **settings)  # type: ignore[arg-type]
    # A loop may train on another loader than the one that the runner was given.
    loop = SimpleNamespace(dataloader=loader)
    runner = FakeRunner(tmp_path, epoch=3, train_loop=loop, train_dataloader=None)
    DistSamplerSeedHook().before_train_epoch(runner)
    wanted = DefaultSampler(range(8), shuffle=True, seed=0)  # type: ignore[arg-type]
    wanted.set_epoch(3)
    assert list(sampler) == list(wanted)
