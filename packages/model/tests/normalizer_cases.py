"""Trains with losses that are averaged over samples or tokens, in one process or several."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD

from eng.dist import get_rank, get_world_size
from eng.model import BaseModel, MMDistributedDataParallel
from eng.optim import OptimWrapper


class Tagger(BaseModel):
    """Classifies each token of sequences; the loss is the mean over those that are not ignored."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
        for each in self.net.parameters():
            each.data = torch.randn(each.shape, generator=generator, dtype=torch.float64)

    def forward(self, inputs: Any, labels: Any = None, mode: str = "tensor") -> Any:
        return {"loss": functional.cross_entropy(self.net(inputs).flatten(0, 1), labels.flatten())}


def make_data(length: int = 24) -> tuple[Tensor, Tensor]:
    """Sequences of 6 tokens, of which a varying number is ignored."""
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(length, 6, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (length, 6), generator=generator)
    lengths = torch.randint(1, 7, (length, 1), generator=generator)
    return inputs, labels.masked_fill(torch.arange(6) >= lengths, -100)


def train(sizes: list[list[int]], kind: Any, counts: int, **more: Any) -> tuple[Tensor, Any]:
    """Train on batches of these sizes, a list for each process, and return the weights."""
    model: Any = Tagger()
    if get_world_size() > 1:
        model = MMDistributedDataParallel(model)
    optimizer = SGD(model.parameters(), lr=0.5, momentum=0.9)
    wrapper = OptimWrapper(optimizer, counts, loss_normalizer=kind, **more)
    rank, ranks = get_rank(), len(sizes)
    wrapper.initialize_count_status(model, 0, len(sizes[0]))
    inputs, labels = make_data(sum(map(sum, sizes)))
    place = 0
    for step in range(len(sizes[0])):
        for other in range(ranks):
            part = slice(place, place + sizes[other][step])
            place = part.stop
            if other == rank:
                model.train_step({"inputs": inputs[part], "labels": labels[part]}, wrapper)
    return torch.cat([p.detach().flatten() for p in model.parameters()]), wrapper


def train_in_processes(sizes: list[list[int]], kind: str, counts: int) -> list[float]:
    return train(sizes, kind, counts)[0].tolist()
