"""Fine-tuning: checkpoints with the trained weights alone, and models that compute their loss."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from eng.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from eng.hooks import CheckpointHook, Hook
from eng.model import BaseModel, ModelWithLoss
from eng.runner import Runner


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of OpenMP wait for each other where processors are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Points(Dataset[dict[str, Tensor]]):
    def __init__(self) -> None:
        self.x = torch.randn(12, 4, generator=torch.Generator().manual_seed(2))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.x[index], "labels": (self.x[index].sum() > 0).long()}


class Adapted(BaseModel):
    """A frozen base of random weights with a norm, an adapter and a head."""

    def __init__(self, seed: int = 0, init_cfg: Any = None) -> None:
        super().__init__(init_cfg=init_cfg)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.base = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
            self.adapter = nn.Linear(8, 8, bias=False)
            nn.init.zeros_(self.adapter.weight)
            self.head = nn.Linear(8, 2)
        self.base.requires_grad_(False)

    def forward(self, inputs: Any, labels: Any = None, mode: str = "tensor") -> Any:
        hidden = self.base(inputs)
        logits = self.head(hidden + self.adapter(hidden))
        return {"loss": functional.cross_entropy(logits, labels)} if mode == "loss" else logits


BASE = {"base.0.weight", "base.0.bias", "base.1.weight", "base.1.bias"}


def build(work_dir: Path, model: nn.Module, *hooks: Any, **more: Any) -> Runner:
    settings: dict[str, Any] = {
        "train_dataloader": {
            "batch_size": 4,
            "dataset": Points(),
            "sampler": {"type": "DefaultSampler"},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 0.05}},
        "custom_hooks": [{"type": "TrainedOnlyHook"}, *hooks],
        "randomness": {"seed": 1},
        **more,
    }
    return Runner(model, str(work_dir), **settings)


def log_of(runner: Runner) -> str:
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()


def saved_names(path: Path) -> set[str]:
    return set(torch.load(path, weights_only=True)["state_dict"])


def shorter(work_dir: Path, model: nn.Module, *hooks: Any, **more: Any) -> None:
    """Train for two of the three epochs."""
    build(work_dir, model, *hooks, train_cfg={"by_epoch": True, "max_epochs": 2}, **more).train()


@pytest.mark.parametrize(
    ("source", "ema"),
    [
        ("load_from", True),
        *(
            pytest.param(source, False, marks=pytest.mark.exhaustive)
            for source in ("constructor", "init_cfg", "load_from")
        ),
    ],
)
def test_a_run_is_resumed_to_the_bit_from_trained_weights(
    tmp_path: Path, source: str, ema: bool
) -> None:
    base = tmp_path / "base.pth"
    save_checkpoint({"state_dict": Adapted(seed=7).state_dict()}, str(base))
    more: dict[str, Any] = {"load_from": str(base)} if source == "load_from" else {}
    init = {"type": "Pretrained", "checkpoint": str(base)} if source == "init_cfg" else None
    hooks = [{"type": "EMAHook"}] if ema else []

    def make(seed: int = 0) -> Adapted:
        return Adapted(seed=seed, init_cfg=init)

    expected = build(tmp_path / "whole", make(), *hooks, **more).train().state_dict()
    shorter(tmp_path / "parts", make(), *hooks, **more)
    path = tmp_path / "parts" / "epoch_2.pth"
    buffers = {f"base.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}
    assert saved_names(path) == {"adapter.weight", "head.weight", "head.bias", *buffers}
    # With other random weights, where the base is loaded.
    again = make(seed=0 if source == "constructor" else 3)
    runner = build(tmp_path / "parts", again, *hooks, resume=True, **more)
    found = runner.train().state_dict()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    averaged = torch.load(tmp_path / "parts" / "epoch_3.pth", weights_only=True)
    whole = torch.load(tmp_path / "whole" / "epoch_3.pth", weights_only=True)
    torch.testing.assert_close(averaged["state_dict"], whole["state_dict"], rtol=0, atol=0)
    log = log_of(runner)
    assert "do not match exactly" not in log
    assert "has the trained weights alone, of 3 parameters: the 4 frozen ones are those of" in log


def test_other_frozen_weights_are_refused(tmp_path: Path) -> None:
    shorter(tmp_path, Adapted())
    runner = build(tmp_path, Adapted(seed=5), resume=True)
    with pytest.raises(CheckpointError, match="the 4 frozen parameters of Adapted are not the 4"):
        runner.train()
    with pytest.raises(CheckpointError, match=r"epoch_2\.pth has the trained weights alone"):
        load_checkpoint(Adapted(seed=5), str(tmp_path / "epoch_2.pth"))


def test_a_base_that_is_gone_is_named(tmp_path: Path) -> None:
    base = tmp_path / "base.pth"
    save_checkpoint({"state_dict": Adapted(seed=7).state_dict()}, str(base))
    shorter(tmp_path / "work", Adapted(), load_from=str(base))
    base.unlink()
    runner = build(tmp_path / "work", Adapted(), resume=True)
    with pytest.raises(CheckpointError, match=r"frozen ones, of .*base\.pth, cannot be read"):
        runner.train()


def test_loading_says_what_is_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter(tmp_path, Adapted())
    model = Adapted()
    load_checkpoint(model, str(tmp_path / "epoch_2.pth"), strict=True)
    assert "4 frozen ones are those of the model" in capsys.readouterr().out
    assert model.adapter.weight.any()


class Thaws(Hook):
    """Trains the base in the second epoch alone."""

    def before_train_epoch(self, runner: Any) -> None:
        runner.model.base.requires_grad_(runner.epoch == 1)


def test_what_was_trained_before_it_was_frozen_is_saved(tmp_path: Path) -> None:
    settings = {"default_hooks": {"checkpoint": CheckpointHook(1)}}
    whole = build(tmp_path / "whole", Adapted(), Thaws(), **settings).train().state_dict()
    names = [saved_names(tmp_path / "whole" / f"epoch_{n}.pth") for n in (1, 2, 3)]
    assert not BASE & names[0]
    assert names[1] == names[2] >= BASE
    shorter(tmp_path / "parts", Adapted(), Thaws())
    found = build(tmp_path / "parts", Adapted(), Thaws(), resume=True).train().state_dict()
    torch.testing.assert_close(found, whole, rtol=0, atol=0)
    assert saved_names(tmp_path / "parts" / "epoch_3.pth") >= BASE


def test_a_model_without_a_frozen_parameter_is_refused(tmp_path: Path) -> None:
    model = Adapted().requires_grad_(True)
    with pytest.raises(ValueError, match="no parameter of the model is frozen"):
        build(tmp_path, model).train()


class ModelOutput(OrderedDict[str, Any]):
    """An output with keys and attributes, as models of transformers have it."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Classifier(nn.Module):
    """Takes the labels by name and computes its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(4, 8).requires_grad_(False)
        self.head = nn.Linear(8, 2)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> ModelOutput:
        hidden = self.base(inputs)
        logits = self.head(hidden)
        out = ModelOutput(logits=logits, hidden_states=(hidden,))
        if labels is not None:
            out = ModelOutput(loss=functional.cross_entropy(logits, labels), **out)
        return out


def test_a_model_whose_output_has_a_loss_is_trained_as_it_is(tmp_path: Path) -> None:
    net = Classifier()
    before = net.head.weight.detach().clone()
    runner = build(
        tmp_path,
        ModelWithLoss(net),
        val_dataloader={
            "batch_size": 5,
            "dataset": Points(),
            "collate_fn": {"type": "default_collate"},
        },
        val_cfg={"loss": True},
        val_evaluator=[],
    )
    runner.train()
    assert not torch.equal(net.head.weight, before)
    assert runner.summary.best["val_loss"].score < 1
    assert saved_names(tmp_path / "epoch_3.pth") == {"net.head.weight", "net.head.bias"}
