"""Train a small network by a loop of one's own, with four parts of the engine and no Runner."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eng.checkpoint import get_state_dict, load_checkpoint, save_checkpoint
from eng.fileio import dump, exists, join_path
from eng.optim import CosineAnnealingLR, LinearLR, build_optim_wrapper

EPOCHS, BATCH, SAMPLES = 20, 32, 512
ITERATIONS = SAMPLES // BATCH
OPTIM_WRAPPER = {
    "optimizer": {"type": "AdamW", "lr": 0.02, "weight_decay": 0.01},
    "paramwise_cfg": {"norm_decay_mult": 0.0},
    "accumulative_counts": 2,
    "clip_grad": {"max_norm": 1.0},
}


def make_spirals() -> tuple[Tensor, Tensor]:
    """Points on two spirals that wind around each other, and the spiral that each is on."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(SAMPLES) % 2
    radius = torch.rand(SAMPLES, generator=generator) * 0.9 + 0.1
    angle = radius * 3 * math.pi + labels * math.pi
    points = torch.stack([angle.cos(), angle.sin()], 1) * radius[:, None]
    return points + 0.01 * torch.randn(SAMPLES, 2, generator=generator), labels


def iterate(points: Tensor, labels: Tensor, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of an epoch. Their order comes from the epoch alone, so that a run can resume."""
    order = torch.randperm(SAMPLES, generator=torch.Generator().manual_seed(epoch))
    for chosen in torch.split(order, BATCH):
        yield points[chosen], labels[chosen]


class Job:
    """A model with its optimizer and schedules, and the mean loss of each epoch so far."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            nn.Linear(2, 64), nn.LayerNorm(64), nn.ReLU(),
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2),
        )  # fmt: skip
        self.optim_wrapper = build_optim_wrapper(self.model, OPTIM_WRAPPER)
        rest = (EPOCHS - 1) * ITERATIONS
        self.schedulers = [
            LinearLR(self.optim_wrapper, 0.1, by_epoch=False, end=ITERATIONS),
            CosineAnnealingLR(self.optim_wrapper, T_max=rest, by_epoch=False, begin=ITERATIONS),
        ]
        self.losses: list[float] = []

    def save(self, path: str) -> None:
        """Write a checkpoint, which is there whole or not at all."""
        checkpoint = {
            "state_dict": get_state_dict(self.model),
            "optimizer": self.optim_wrapper.state_dict(),
            "param_schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
            "losses": self.losses,
        }
        save_checkpoint(checkpoint, path)

    def load(self, path: str) -> None:
        """Continue from a checkpoint."""
        checkpoint = load_checkpoint(self.model, path, strict=True)
        self.optim_wrapper.load_state_dict(checkpoint["optimizer"])
        for scheduler, state in zip(self.schedulers, checkpoint["param_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self.losses = checkpoint["losses"]

    def train_epoch(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Train on all batches: the loop."""
        total = 0.0
        for inputs, targets in batches:
            with self.optim_wrapper.optim_context(self.model):
                loss = F.cross_entropy(self.model(inputs), targets)
            self.optim_wrapper.update_params(loss)
            for scheduler in self.schedulers:
                scheduler.step()
            total += loss.item()
        self.losses.append(total / ITERATIONS)


def train(work_dir: str, last_epoch: int = EPOCHS) -> list[float]:
    """Train up to an epoch, continuing with what is in the work directory.

    Args:
        work_dir: Folder, or address in any storage that eng-fileio knows.
        last_epoch: The epoch to stop after.

    Returns:
        The mean loss of each epoch, those before a resumed run included.
    """
    points, labels = make_spirals()
    job = Job()
    path = join_path(work_dir, "latest.pth")
    if exists(path):
        job.load(path)
        print(f"resumed from epoch {len(job.losses)} of {path}")
    begin = len(job.losses)
    job.optim_wrapper.initialize_count_status(job.model, begin * ITERATIONS, EPOCHS * ITERATIONS)
    for epoch in range(begin, last_epoch):
        job.train_epoch(iterate(points, labels, epoch))
        job.save(path)
        lr = job.optim_wrapper.get_lr()["lr"][0]
        print(f"epoch {epoch + 1}: loss {job.losses[-1]:.4f}, lr {lr:.4f}")
    dump({"losses": job.losses}, join_path(work_dir, "losses.json"))
    with torch.no_grad():
        accuracy = (job.model(points).argmax(1) == labels).float().mean().item()
    print(f"training accuracy: {accuracy:.2%}")
    return job.losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work-dir", default="work_dirs/plain_loop")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="the epoch to stop after")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # more only wait for each other with a network this small
    train(arguments.work_dir, arguments.epochs)
