"""Tensors that constructors of models make, and a model that processes build in parts."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)

from eng.model import BaseModule
from eng.model.deferred import DeferredValues, Recording

SIDE = 160  # of which a square is large


def empty():
    return torch.empty(SIDE, SIDE)


def indexed():
    weight = torch.zeros(SIDE, SIDE)
    weight[3] = 1.0
    weight[torch.randperm(SIDE)[:5], 4] = 7
    weight[:, 5].normal_()
    weight[weight > 2] = 0
    return weight


def from_small_tensor():
    small, weight = torch.zeros(3), empty().fill_(1)
    small.copy_(weight[0, :3])
    small += 1
    weight[:, :3] = small
    small.zero_()  # after it was used
    return weight


def from_numpy():
    weight = empty()
    weight.data.copy_(torch.from_numpy(np.random.default_rng(0).random((SIDE, SIDE))))
    assert weight.numpy().shape == (SIDE, SIDE)
    assert (weight >= 0).all()
    return weight * float(weight.sum()) + weight.tolist()[0][0]


def own_generator():
    return empty().normal_(generator=torch.Generator().manual_seed(3))


def replaced_data():
    parameter = nn.Parameter(empty())
    parameter.data = torch.randn(SIDE, SIDE) * 2
    return parameter


def drawn_until_right():
    weight = empty().normal_()
    while (weight.abs() > 3).any():
        weight = torch.where(weight.abs() > 3, torch.randn_like(weight), weight)
    return weight


def of_its_device():
    weight = torch.randn(SIDE, SIDE)
    assert not weight.is_meta
    assert weight.is_cpu
    return torch.zeros(SIDE, SIDE, device=weight.device).copy_(weight)


def selected():
    weight = torch.randn(2 * SIDE, SIDE)
    return weight[weight > 0]


def joined():
    torch._foreach_mul_(parts := [torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)], 2.0)
    return torch.cat(parts).t().contiguous()


TENSORS = {
    "truncated normal": lambda: nn.init.trunc_normal_(empty(), std=0.02),
    "narrowly truncated": lambda: nn.init.trunc_normal_(empty(), a=1.0, b=1.1),
    "orthogonal": lambda: nn.init.orthogonal_(empty()),
    "sparse": lambda: nn.init.sparse_(empty(), 0.1),
    "kaiming": lambda: nn.init.kaiming_normal_(torch.empty(64, 64, 3, 3)),
    "eye": lambda: nn.init.eye_(empty()),
    "linear": lambda: nn.Linear(SIDE, SIDE).weight,
    "half": lambda: nn.Linear(SIDE, 2 * SIDE).half().weight,
    "double": lambda: nn.Linear(SIDE, SIDE).to("cpu", torch.float64).weight,
    "padded embedding": lambda: nn.Embedding(SIDE, SIDE, padding_idx=0).weight,
    "batch norm": lambda: nn.BatchNorm2d(SIDE * SIDE).running_var,
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(SIDE, SIDE)).weight,
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(SIDE, SIDE)).weight,
    "copied": lambda: copy.deepcopy(nn.Linear(SIDE, SIDE)).weight,
    "dropped": lambda: nn.functional.dropout(torch.ones(SIDE, SIDE), 0.5),
    "bernoulli": lambda: torch.bernoulli(torch.full((SIDE, SIDE), 0.3)),
    "multinomial": lambda: torch.multinomial(torch.rand(SIDE, SIDE), 120),
    "permuted": lambda: torch.randperm(SIDE * SIDE).float(),
    "sorted": lambda: torch.randn(SIDE, SIDE).sort()[0],
    "decomposed": lambda: torch.linalg.svd(torch.randn(SIDE, SIDE))[0],
    "selected": selected,
    "complex": lambda: torch.fft.fft(torch.randn(SIDE, SIDE)),
    "indexed": indexed,
    "from a small tensor": from_small_tensor,
    "from numpy": from_numpy,
    "own generator": own_generator,
    "replaced data": replaced_data,
    "drawn until right": drawn_until_right,
    "of its device": of_its_device,
    "joined": joined,
}


class Block(BaseModule):
    def __init__(self, width):
        super().__init__(init_cfg={"type": "TruncNormal", "layer": "Linear", "std": 0.1})
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        nn.init.orthogonal_(self.down.weight)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        x = x + self.attention(x, x, x)[0]
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Language(BaseModule):
    def __init__(self, width=64, words=301):
        super().__init__()
        self.words = nn.Embedding(words, width)  # of a number that does not divide
        self.places = nn.Parameter(torch.randn(1, 256, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(2))
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.words.weight
        self.register_buffer("noise", torch.randn(256, width))
        self.frozen = nn.Parameter(torch.rand(256, width), requires_grad=False)

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.words(tokens) + self.places[:, :length] + (self.noise + self.frozen)[:length]
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def build(seed=0):
    torch.manual_seed(seed)
    model = Language()
    model.init_weights()
    return model


def build_in_parts(tensor):
    """Build a model of which each process holds a part; its values are those of the first one."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    mesh = init_device_mesh(
        "cpu", (world_size // tensor, tensor), mesh_dim_names=("shard", "tensor")
    )
    recording = Recording(threshold=1 << 12)
    with recording.active():
        model = build(seed=rank)
    values = DeferredValues(recording, model)
    if tensor > 1:
        plan = {"blocks.*.up": ColwiseParallel(), "blocks.*.down": RowwiseParallel()}
        parallelize_module(model, mesh["tensor"], plan)
    for block in model.blocks:
        fully_shard(block, mesh=mesh["shard"])
    fully_shard(model, mesh=mesh["shard"])
    values.fill(model, torch.device("cpu"))
    assert model.head.weight is model.words.weight
    return train(model)


def build_whole():
    return train(build())


def train(model):
    """Return the values of a model before and after a step of training."""
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
    start = gather(model)
    model(torch.arange(10)[None]).square().mean().backward()
    optimizer.step()
    return start, gather(model)


def gather(model):
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        name: (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().clone()
        for name, tensor in tensors
    }
