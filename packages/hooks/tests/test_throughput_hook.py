"""Throughput is measured over intervals of training."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import ThroughputHook

BATCH = {"input_ids": torch.zeros(4, 10)}


def measure(
    monkeypatch: pytest.MonkeyPatch, path: Path, hook: ThroughputHook, pause: float = 0.0
) -> dict[str, list[float]]:
    """Train six iterations, each of which takes half a second."""
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    runner: Any = FakeRunner(path, train_dataloader=SimpleNamespace(batch_size=4))
    hook.before_train(runner)
    for number in range(6):
        clock[0] += 0.5
        hook.after_train_iter(runner, number, BATCH)
        hook.before_val(runner)
        clock[0] += pause
        hook.after_val(runner)
    scalars = runner.message_hub.log_scalars
    return {key: scalar.data[0].tolist() for key, scalar in scalars.items()}


def test_samples_tokens_and_utilization(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hook = ThroughputHook(interval=2, tokens="input_ids", flops=5.0, peak=80.0)
    assert measure(monkeypatch, tmp_path, hook) == {
        "train/samples_per_s": [8.0] * 3,
        "train/tokens_per_s": [80.0] * 3,
        "train/mfu": [0.5] * 3,
    }


def test_validation_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hook = ThroughputHook(interval=3, samples=len)
    assert measure(monkeypatch, tmp_path, hook, pause=9.0) == {"train/samples_per_s": [2.0] * 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interval": 0}, "interval must be an integer of at least 1"),
        ({"flops": 1e9}, "needs both flops.* and peak"),
        ({"tokens": 5}, "tokens must be a function of a batch or a key of it, not int"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ThroughputHook(**arguments)


def test_a_key_that_the_batch_lacks(tmp_path: Path) -> None:
    runner: Any = FakeRunner(tmp_path, train_dataloader=SimpleNamespace(batch_size=4))
    with pytest.raises(ValueError, match=r"tokens='ids' must be the key of a tensor.*input_ids"):
        ThroughputHook(tokens="ids").after_train_iter(runner, 0, BATCH)
