"""Optimizers with modes or a closure, and jobs that train with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Optimizer
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.optim import OptimWrapper
from eng.runner import Runner


class ScheduleFree(Optimizer):
    """SGD of "The Road Less Scheduled" (Defazio et al., 2024)."""

    def __init__(self, params: Any, lr: float = 0.1, beta: float = 0.9) -> None:
        defaults = {"lr": lr, "beta": beta, "count": 0, "train_mode": False}
        super().__init__(params, defaults)

    @torch.no_grad()
    def eval(self) -> None:
        for group in self.param_groups:
            if group["train_mode"]:
                for p in group["params"]:
                    if "z" in self.state[p]:
                        p.lerp_(self.state[p]["z"], 1 - 1 / group["beta"])
            group["train_mode"] = False

    @torch.no_grad()
    def train(self) -> None:
        for group in self.param_groups:
            if not group["train_mode"]:
                for p in group["params"]:
                    if "z" in self.state[p]:
                        p.lerp_(self.state[p]["z"], 1 - group["beta"])
            group["train_mode"] = True

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            if not group["train_mode"]:
                raise RuntimeError("the optimizer is not in train mode")
            weight = 1 / (group["count"] + 1)
            for p in group["params"]:
                z = self.state[p].setdefault("z", p.clone())
                p.lerp_(z, weight)
                p.add_(p.grad, alpha=group["lr"] * (group["beta"] * (1 - weight) - 1))
                z.sub_(p.grad, alpha=group["lr"])
            group["count"] += 1


class SAM(Optimizer):
    """SGD of "Sharpness-Aware Minimization" (Foret et al., 2021), after the first gradients."""

    def __init__(self, params: Any, lr: float = 0.1, rho: float = 0.05) -> None:
        super().__init__(params, {"lr": lr, "rho": rho})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        assert closure is not None
        params = [p for group in self.param_groups for p in group["params"]]
        norm = torch.stack([p.grad.norm() for p in params]).norm() + 1e-12
        before = [p.clone() for p in params]
        for p in params:
            p.add_(p.grad / norm, alpha=self.defaults["rho"])
        closure()
        for p, old in zip(params, before, strict=True):
            p.copy_(old).sub_(p.grad, alpha=self.defaults["lr"])


class Lines(Dataset[dict[str, Tensor]]):
    """Points and a linear function of them, with noise."""

    def __init__(self, length: int = 24) -> None:
        generator = torch.Generator().manual_seed(3)
        self.x = torch.randn(length, 3, generator=generator)
        self.y = self.x @ torch.tensor([1.0, -2.0, 0.5])
        self.y += 0.1 * torch.randn(length, generator=generator)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.x[index], "data_samples": self.y[index]}


class Regression(BaseModel):
    """A small network."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        for each in self.net.parameters():
            each.data = 0.5 * torch.randn(each.shape, generator=generator)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs).flatten()
        if mode == "loss":
            return {"loss": functional.mse_loss(out, data_samples)}
        return list((out - data_samples).abs())


class Weights(BaseMetric):
    """Records the sum of the weights that are evaluated, as the error does."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(float(each) for each in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"error": sum(results) / len(results)}


class Losses(Hook):
    """Records losses to the bit, and stops by an error before an iteration."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.values: list[float] = []
        self.stop_at = stop_at

    def before_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        if runner.iter == self.stop_at:
            raise InterruptedError

    def after_train_iter(self, *_: Any, outputs: Any = None, **__: Any) -> None:
        self.values.append(float(outputs["loss"]))


def loader(batch_size: int = 6, shuffle: bool = True) -> dict[str, Any]:
    return {
        "batch_size": batch_size,
        "dataset": Lines(),
        "sampler": {"type": "DefaultSampler", "shuffle": shuffle},
        "collate_fn": {"type": "default_collate"},
    }


def build(work_dir: Path | str, make: Any, *hooks: Hook, **more: Any) -> Runner:
    model = Regression()
    given = make(model.parameters())
    settings = {
        "train_dataloader": loader(),
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "val_dataloader": loader(shuffle=False),
        "val_cfg": {},
        "val_evaluator": Weights(),
        "optim_wrapper": given,
        "custom_hooks": list(hooks),
        "randomness": {"seed": 1},
        **more,
    }
    return Runner(model, str(work_dir), **settings)


def lbfgs(params: Any) -> Optimizer:
    return torch.optim.LBFGS(params, lr=0.5, max_iter=4, line_search_fn="strong_wolfe")


def sam(params: Any) -> OptimWrapper:
    return OptimWrapper(SAM(params), closure=True)


def by_samples(params: Any) -> OptimWrapper:
    return OptimWrapper(SGD(params, lr=0.1), accumulative_counts=3, loss_normalizer="samples")


def train_in_processes(folder: str, name: str) -> tuple[list[float], list[float]]:
    """Train in one of several processes, and return losses and weights."""
    losses = Losses()
    makers = {"lbfgs": lbfgs, "sam": sam, "free": ScheduleFree}
    more = {"launcher": "pytorch", "env_cfg": {"dist_cfg": {"backend": "gloo"}}}
    more["train_dataloader"] = loader(batch_size=3)
    runner = build(folder, makers[name], losses, **more)
    model = runner.train()
    return losses.values, torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()
