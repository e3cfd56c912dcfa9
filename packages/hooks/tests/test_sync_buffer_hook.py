"""Buffers of several processes become the same."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

sys.path.insert(0, str(Path(__file__).parent))

import hooks_cases

from eng.dist.testing import run_in_processes
from eng.hooks import SyncBuffersHook


def test_buffers_are_averaged_over_the_processes() -> None:
    for mean, count in run_in_processes(hooks_cases.synchronised_buffers, 2):
        assert mean == [0.5, 0.5]  # of 0 in the first and 1 in the second
        assert count == 0


def test_one_process_keeps_its_buffers() -> None:
    norm = torch.nn.BatchNorm1d(2)
    norm.running_mean.fill_(3.0)  # type: ignore[union-attr]
    SyncBuffersHook().after_train_epoch(SimpleNamespace(model=norm))  # type: ignore[arg-type]
    assert norm.running_mean.tolist() == [3.0, 3.0]  # type: ignore[union-attr]


def test_a_validation_by_iterations_sees_the_same_buffers_in_all_processes() -> None:
    for before, after_epoch, resumed in run_in_processes(hooks_cases.buffers_at_validation, 2):
        assert before == 0.5  # of 0 and 1: by iterations nothing has averaged them
        assert after_epoch == 2.5  # set apart after the end of an epoch averaged them: they stay
        assert resumed == 0.5  # a validation without training
