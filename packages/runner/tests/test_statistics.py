"""Gradient norms of modules, histograms of weights, and a report of slow processes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD

from eng.dist.testing import run_in_processes
from eng.hooks import ModelStatisticsHook, SlowRankHook
from eng.hooks.slow_rank_hook import _Times, describe_slowest
from eng.optim import OptimWrapper

sys.path.insert(0, str(Path(__file__).parent))
import statistics_cases as cases


def records_of(runner: Any) -> list[dict[str, Any]]:
    lines = Path(runner.log_dir, "vis_data", "scalars.json").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_gradient_norms_of_modules_are_recorded(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, {"type": "ModelStatisticsHook", "interval": 3})
    expected: list[dict[str, float]] = []

    class Recording(OptimWrapper):
        def zero_grad(self, **kwargs: Any) -> None:
            model = runner.model
            norms = {
                name: torch.cat([p.grad.flatten() for p in part.parameters()]).norm().item()
                for name, part in model.named_children()
                if name != "data_preprocessor"
            }
            expected.append({f"grad_norm/{name}": value for name, value in norms.items()})
            super().zero_grad(**kwargs)

    runner.optim_wrapper = Recording(SGD(runner.model.parameters(), lr=0.001))
    runner.train()
    found = [r for r in records_of(runner) if any(k.startswith("grad_norm/") for k in r)]
    first, _ = found
    assert first["step"] == 3
    for name, value in expected[2].items():
        assert first[name] == pytest.approx(value)
    assert not runner.optim_wrapper.optimizer._optimizer_step_pre_hooks


def test_deeper_modules_and_accumulated_gradients(tmp_path: Path) -> None:
    wrapper = {"optimizer": {"type": "SGD", "lr": 0.001}, "accumulative_counts": 4}
    hook = ModelStatisticsHook(interval=5, depth=2)
    runner = cases.build(
        tmp_path, hook, optim_wrapper=wrapper, train_cfg={"by_epoch": False, "max_iters": 8}
    )
    runner.train()
    (found,) = [r for r in records_of(runner) if "grad_norm/head" in r]
    names = {name for name in found if name.startswith("grad_norm/")}
    assert names == {"grad_norm/backbone.0", "grad_norm/backbone.1", "grad_norm/head"}
    assert found["step"] == 8  # the next update after the fifth iteration


def test_histograms_go_to_backends_that_have_them(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    backends = [{"type": "LocalVisBackend"}, {"type": "TensorboardVisBackend"}]
    runner = cases.build(
        tmp_path,
        {"type": "ModelStatisticsHook", "interval": 8, "histograms": True},
        visualizer={"type": "Visualizer", "vis_backends": backends},
    )
    runner.train()
    (folder,) = {path.parent for path in Path(runner.log_dir).rglob("*tfevents*")}
    events = EventAccumulator(str(folder)).Reload()
    names = {f"{kind}/head.weight" for kind in ("weights", "gradients")}
    assert names <= set(events.Tags()["histograms"])
    histogram = events.Histograms("weights/head.weight")[0]
    assert (histogram.step, histogram.histogram_value.num) == (8, 3)
    scalars = {key: value for record in records_of(runner) for key, value in record.items()}
    weights = runner.model.head.weight.detach()
    assert scalars["weights/head.weight/mean"] == pytest.approx(weights.mean().item())
    assert scalars["weights/head.weight/max"] == pytest.approx(weights.max().item())


@pytest.mark.parametrize(
    ("what", "reason"), [("data", "it waits for its data"), ("compute", "its forward pass takes")]
)
def test_the_slow_process_is_named(tmp_path: Path, what: str, reason: str) -> None:
    log, _ = run_in_processes(cases.train_with_a_slow_rank, 2, str(tmp_path), what)
    (line,) = [each for each in log.splitlines() if "is slow" in each]
    found = re.search(rf"Rank 1 is slow, and the others wait for it: {reason} ([\d.]+) ms", line)
    assert found is not None
    assert float(found[1]) >= 0.7 * 1000 * cases.SLEEP  # the first of four has no time before it


def test_a_single_process_is_left_alone(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, SlowRankHook(interval=2))
    runner.train()
    assert not runner.model._forward_hooks
    log = Path(runner.log_dir, f"{runner.timestamp}.log").read_text()
    assert "is slow" not in log


def test_processes_that_are_alike_are_not_reported() -> None:
    assert describe_slowest([_Times(1, 10), _Times(2, 11)], 1.3) is None
    assert describe_slowest([_Times(1, 10)], 1.3) is None
    text = describe_slowest([_Times(1, 10), _Times(1, 12), _Times(30, 9), _Times(1, 10)], 1.3)
    assert text is not None
    assert text.startswith("Rank 2 is slow, and the others wait for it: it waits for its data 30.0")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (SlowRankHook, {"ratio": 1}),
        (SlowRankHook, {"interval": 0}),
        (ModelStatisticsHook, {"interval": 0}),
        (ModelStatisticsHook, {"depth": 0}),
    ],
)
def test_settings_without_a_meaning_are_refused(kind: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__}: {next(iter(given))}"):
        kind(**given)
