"""A GAN that learns points on a ring: its model, optimizers, data, metric and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.hooks import Hook, HookRunner
from eng.model import BaseModel
from eng.optim import OptimWrapperDict, build_optim_wrapper
from eng.registry import DATASETS, HOOKS, METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from eng.vis import Visualizer

PEAKS = 8
SPREAD = 0.05  # standard deviation of the points around a peak
NOISE = 8  # numbers that the generator makes a point of
PIXELS = 320  # of a picture, which shows [-1.6, 1.6] in each direction


def peaks() -> Tensor:
    """Centres of the eight Gaussians, on a circle of radius 1."""
    angles = torch.arange(PEAKS) * (2 * math.pi / PEAKS)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


@DATASETS.register_module()
class Ring(Dataset[dict[str, Tensor]]):
    """Points of eight Gaussians on a circle.

    Args:
        length: Number of points.
    """

    def __init__(self, length: int) -> None:
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randint(PEAKS, (length,), generator=generator)
        self.points = peaks()[chosen] + SPREAD * torch.randn(length, 2, generator=generator)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.points[index]}


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    """A network of three linear layers."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)
    )


@MODELS.register_module()
class GAN(BaseModel):
    """A generator of points and a discriminator, which tells them from those of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = mlp(NOISE, 2)
        self.discriminator = mlp(2, 1)

    def forward(self, inputs: Tensor, data_samples: Any = None, mode: str = "tensor") -> Any:
        """Generate as many points as there are in a batch, of shape (N, 2)."""
        return self.generator(torch.randn(len(inputs), NOISE, device=inputs.device))

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Update the discriminator, then the generator.

        Args:
            data: A batch of points.
            optim_wrapper: The two optimizers.

        Returns:
            Both losses.
        """
        real = self.data_preprocessor(data, True)["inputs"]
        fake = self(real)
        judged_real, judged_fake = self.discriminator(real), self.discriminator(fake.detach())
        loss_d = softplus(-judged_real).mean() + softplus(judged_fake).mean()
        optim_wrapper["discriminator"].update_params(loss_d)
        loss_g = softplus(-self.discriminator(fake)).mean()
        optim_wrapper["generator"].update_params(loss_g)
        return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TwoOptimizers:
    """Builds an optimizer for each of two networks.

    Args:
        optim_wrapper_cfg: Configs of the optimizers by the names of the networks.
        paramwise_cfg: Not used. Defaults to None.
    """

    def __init__(
        self,
        optim_wrapper_cfg: Mapping[str, Any],
        paramwise_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        self.cfg = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the optimizers of a model."""
        names = ("generator", "discriminator")
        built = {n: build_optim_wrapper(model.get_submodule(n), self.cfg[n]) for n in names}
        return OptimWrapperDict(**built)


@METRICS.register_module()
class RingCoverage(BaseMetric):
    """How much of the ring is generated.

    The values are ``covered``, the share of the eight peaks that at least a hundredth of the points
    lie at, and ``near``, the share of points that lie at any peak.
    """

    def process(self, data_batch: Any, data_samples: Sequence[Tensor]) -> None:
        """Note which peak each point is near: none is -1."""
        points = torch.stack(list(data_samples)).cpu()
        distances, closest = torch.cdist(points, peaks()).min(dim=1)
        self.results += torch.where(distances < 4 * SPREAD, closest, -1).tolist()

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """Count peaks and points."""
        counts = np.bincount(np.asarray(results) + 1, minlength=PEAKS + 1)
        return {
            "covered": float((counts[1:] >= len(results) / 100).mean()),
            "near": float(counts[1:].sum() / len(results)),
        }


@HOOKS.register_module()
class DrawPoints(Hook):
    """Draws the points that are generated in a validation.

    Args:
        interval: Epochs between two pictures. Defaults to 1.
    """

    def __init__(self, interval: int = 1) -> None:
        self.interval = interval
        self.points: list[Tensor] = []

    def after_val_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the points of a batch."""
        self.points += outputs

    def after_val_epoch(
        self, runner: HookRunner, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Draw points over the peaks and record the picture."""
        points, self.points = self.points, []
        board = runner.visualizer
        # There are none if a resumed run takes over the results of a validation that had ended.
        if points and isinstance(board, Visualizer) and runner.epoch % self.interval == 0:
            board.set_image(np.full((PIXELS, PIXELS, 3), 255, np.uint8))
            board.draw_circles(to_pixels(peaks()), torch.full((PEAKS,), 20.0), edge_colors="gray")
            board.draw_points(to_pixels(torch.stack(points).cpu()), colors="tab:orange", sizes=3)
            board.add_image("generated", board.get_image(), step=runner.epoch)


def to_pixels(points: Tensor) -> Tensor:
    """Pixels of points in a picture."""
    return (points / 1.6 + 1) * (PIXELS / 2)
