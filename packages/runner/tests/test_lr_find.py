"""The learning-rate range test: what it suggests, and that it leaves a run as it was."""

from __future__ import annotations

import copy
import math
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from test_commands import JOB

from eng.cli import main
from eng.logging import MessageHub
from eng.model import BaseModel
from eng.runner import LearningRateCurve, Runner, find_learning_rate
from eng.runner.learning_rates import exponential_rates
from eng.utils import UserError

RATES = exponential_rates(1e-5, 10, 101)


class Bowl(BaseModel):
    """A loss whose best rate is known: with curvature 4, one step of 0.25 reaches the minimum."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.full((8,), 3.0))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        return {"loss": 2 * self.place.square().sum()}


class Full(BaseModel):
    """Dropout, batch norm, a counter, a buffer that is replaced and one that no checkpoint has."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1)
        )
        self.calls = 0
        self.register_buffer("total", torch.zeros(1))
        self.register_buffer("temporary", torch.zeros(1), persistent=False)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        self.calls += 1
        self.total = self.total + 1
        self.temporary += 1
        error = (self.net(inputs) - data_samples).square().mean()
        return {"loss": error * (1 + random.random() + np.random.random())}


class Samples(torch.utils.data.Dataset):
    def __init__(self) -> None:
        self.x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        noise = torch.randn(3) * 0.1
        return {"inputs": self.x[index] + noise, "data_samples": self.x[index].sum()[None]}


def make(folder: Path, model: nn.Module, **changes: Any) -> Runner:
    settings: dict[str, Any] = {
        "train_dataloader": {
            "batch_size": 4,
            "dataset": Samples(),
            "sampler": {"type": "DefaultSampler", "shuffle": True},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 2},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.02}},
        "randomness": {"seed": 3},
        "log_level": "ERROR",
        **changes,
    }
    return Runner(model=model, work_dir=str(folder), **settings)


def test_the_steepest_descent_is_suggested() -> None:
    x = np.log10(RATES)
    fall = 1 - 0.8 / (1 + np.exp(-(x + 2) * 3)) + 5 * np.clip(x, 0, None)
    noise = np.random.default_rng(0).normal(0, 0.03, len(x))
    curve = LearningRateCurve(tuple(RATES), tuple(fall + noise), 101)
    assert curve.suggestion == pytest.approx(1e-2, rel=0.5)
    assert 0.02 < curve.lowest <= 1.5
    assert curve.is_clear
    assert not curve.diverged


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_is_not_clear(seed: int) -> None:
    losses = np.random.default_rng(seed).normal(1, 0.2, len(RATES))
    curve = LearningRateCurve(tuple(RATES), tuple(losses), 101)
    assert not curve.is_clear
    assert any(word in curve.describe()[-1] for word in ("uncertain", "no suggestion"))


@pytest.mark.parametrize(
    "losses", [(), (1.0,), (1.0, 0.5), (1.0, 0.5, 0.1), tuple(np.linspace(1, 9, 101)), (2.0,) * 101]
)
def test_curves_without_a_descent_suggest_nothing(
    losses: tuple[float, ...], tmp_path: Path
) -> None:
    curve = LearningRateCurve(tuple(RATES[: len(losses)]), losses, 101)
    assert curve.suggestion is None
    assert "no suggestion" in curve.describe()[-1]
    if losses:
        curve.plot(tmp_path / "new" / "curve.png")
        assert (tmp_path / "new" / "curve.png").read_bytes()[:4] == b"\x89PNG"


def test_a_known_loss(tmp_path: Path) -> None:
    runner = make(tmp_path, Bowl())
    curve = find_learning_rate(runner, start=1e-4, end=10)
    assert curve.diverged
    assert 0.01 < curve.suggestion < 0.25
    assert curve.is_clear
    assert 0.5 < curve.rates[-1] < 10  # a step of more than 0.5 overshoots
    assert torch.equal(runner.model.place, torch.full((8,), 3.0))


def test_groups_keep_their_ratios_and_warmup_does_not_count(tmp_path: Path) -> None:
    seen = []

    class Seen(Bowl):
        def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
            seen.append(optim_wrapper.get_lr())
            return super().train_step(data, optim_wrapper)

    model = Seen()
    model.other = nn.Linear(1, 1)
    wrapper = {
        "optimizer": {"type": "SGD", "lr": 0.02},
        "paramwise_cfg": {"custom_keys": {"other": {"lr_mult": 0.1}}},
    }
    warmup = {"type": "LinearLR", "start_factor": 0.001, "end": 5}
    runner = make(tmp_path, model, optim_wrapper=wrapper, param_scheduler=warmup)
    curve = find_learning_rate(runner, start=1e-5, end=1e-3, num_iters=10)
    assert len(curve.rates) == 10
    for rate, rates in zip(curve.rates, seen, strict=True):
        assert rates["base_lr"] == [pytest.approx(rate)]
        assert sorted(rates["lr"])[0] == pytest.approx(rate / 10)
        assert sorted(rates["lr"])[-1] == pytest.approx(rate)
    assert runner.optim_wrapper.get_lr()["base_lr"] == [pytest.approx(2e-5)]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "optim_wrapper": {
                "optimizer": {"type": "AdamW", "lr": 0.02},
                "clip_grad": {"max_norm": 1},
            }
        },
        {
            "optim_wrapper": {
                "type": "AmpOptimWrapper",
                "dtype": "bfloat16",
                "accumulative_counts": 2,
                "optimizer": {"type": "SGD", "lr": 0.02, "momentum": 0.9},
            },
            "param_scheduler": {"type": "CosineAnnealingLR", "T_max": 2},
            "train_cfg": {"by_epoch": False, "max_iters": 7},
        },
    ],
    ids=["adam", "accumulated in bfloat16"],
)
def test_a_run_is_the_same_after_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    def train(with_test: bool) -> tuple[dict[str, Any], dict[str, Any], Any, Full]:
        torch.manual_seed(1)
        runner = make(tmp_path / str(with_test), Full(), **copy.deepcopy(changes))
        for _ in range(2):  # before and after training, with a state of the optimizer
            if with_test:
                place = MessageHub.get_current_instance()
                assert find_learning_rate(runner, end=1e3, num_iters=15).rates
                assert MessageHub.get_current_instance() is place
            runner.train()
            runner.train_loop.stop_training = False
            runner.train_loop._max_epochs = 4
            runner.train_loop._max_iters = 14
        state = runner.optim_wrapper.state_dict()
        scalars = {k: list(v.data[0]) for k, v in runner.message_hub.log_scalars.items()}
        timing = ("time", "data_time")
        return (
            {**runner.model.state_dict(), "temporary": runner.model.temporary},
            state,
            {k: v for k, v in scalars.items() if not k.endswith(timing)},
            runner.model,
        )

    plain, tested = train(False), train(True)
    assert plain[3].calls == tested[3].calls > 0
    assert plain[0].keys() == tested[0].keys()
    for name, value in plain[0].items():
        assert torch.equal(value, tested[0][name]), name
    assert str(plain[1]) == str(tested[1])
    assert str(plain[2]) == str(tested[2])


def test_gradients_modes_and_generators_are_left(tmp_path: Path) -> None:
    model = Full()
    runner = make(tmp_path, model)
    runner.train()
    model.net[1].eval()
    gradient = torch.ones_like(model.net[0].weight)
    model.net[0].weight.grad = gradient
    drawn = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    find_learning_rate(runner, num_iters=10)
    assert model.net[0].weight.grad is gradient
    assert torch.equal(gradient, torch.ones_like(gradient))
    assert [each.training for each in model.net] == [True, False, True, True]
    assert torch.equal(drawn[0], torch.get_rng_state())
    assert (drawn[1] == np.random.get_state()[1]).all()
    assert drawn[2] == random.getstate()


def test_a_failing_step_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    class Failing(Bowl):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            if float(self.place[0].detach()) < 2.9:
                raise RuntimeError("too deep")
            return super().forward(*args, **kwargs)

    runner = make(tmp_path, Failing())
    with pytest.raises(RuntimeError, match="too deep"):
        find_learning_rate(runner)
    assert torch.equal(runner.model.place, torch.full((8,), 3.0))
    assert runner.optim_wrapper.get_lr() == {"lr": [0.02]}


class NoLoss(Bowl):
    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        return {"total": super().train_step(data, optim_wrapper)["loss"]}


class Lazy(Bowl):
    def __init__(self) -> None:
        super().__init__()
        self.late = nn.LazyLinear(1)


@pytest.mark.parametrize(
    ("model", "arguments", "changes", "said"),
    [
        (Bowl, {"start": 1, "end": 0.1}, {}, "rise from a positive start"),
        (Bowl, {"start": 0}, {}, "rise from a positive start"),
        (Bowl, {"end": math.inf}, {}, "finite end"),
        (Bowl, {"num_iters": 3}, {}, "num_iters must be an integer of at least 10"),
        (NoLoss, {}, {}, r"must return a dict with 'loss', not \['total'\]"),
        (Lazy, {}, {}, "late.weight, late.bias of the model have no shape yet"),
        (Bowl, {}, {"optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.0}}}, "is 0.0: set"),
        (
            Bowl,
            {},
            {"train_dataloader": None, "train_cfg": None, "optim_wrapper": None},
            "learning-rate range test",
        ),
    ],
)
def test_what_cannot_be_tested_is_refused(
    tmp_path: Path,
    model: type[nn.Module],
    arguments: dict[str, Any],
    changes: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(UserError, match=said):
        find_learning_rate(make(tmp_path, model(), **changes), **arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    (tmp_path / "job.py").write_text(JOB.replace("from pathlib import Path\n", ""))
    return tmp_path


def test_the_command_writes_a_plot_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--start", "1e-5", "--cfg-options", "train_dataloader.batch_size=20"]
    assert main(["lr-find", "job.py", "--out", "rates.png", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " updates at learning rates from 1e-05 to 0." in lines[0]
    assert lines[-2].startswith("suggested learning rate: 0.")
    assert lines[-1] == "plot: rates.png"
    found = {path.name for path in folder.rglob("*")} - {"__pycache__"}
    assert found == {"job.py", "rates.png"}
    assert main(["lr-find", "job.py", "--iters", "10", *options]) == 0
    assert [path.name for path in (folder / "work_dirs" / "job").iterdir()] == ["lr_find.png"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cfg-options", "launcher=pytorch"], "eng lr-find is for a single process"),
        (["--cfg-options", "optim_wrapper.optimizer.type=SDG"], "SDG"),
        (["--out", "rates.xyz"], "--out must end in .png, .svg, .pdf, .jpg, not 'rates.xyz'"),
        (["--out", "rates"], "--out must end in .png"),
        (["--device", "gpu"], "must be cpu, cuda or cuda:N"),
        (["--iters", "1"], "num_iters must be an integer of at least 10"),
    ],
)
def test_the_command_reports_mistakes_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["lr-find", "job.py", *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (folder / "work_dirs").exists()


@pytest.mark.parametrize("command", ["lr-find", "batch-find"])
def test_a_gpu_that_is_missing_is_refused(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([command, "job.py", "--device", "cuda"]) == 2
    error = capsys.readouterr().err
    assert "--device cuda: PyTorch finds no such GPU here" in error
    assert "Traceback" not in error


def test_a_gpu_is_counted_among_those_that_are_visible(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert main(["lr-find", "job.py", "--device", "cuda:2"]) == 2
    assert "CUDA_VISIBLE_DEVICES shows 2: 5, 7" in capsys.readouterr().err
    assert main(["lr-find", "job.py", "--device", "cuda:1"]) == 2
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"
