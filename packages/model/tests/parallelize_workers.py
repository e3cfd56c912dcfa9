"""What each process of tests/test_parallelize.py does."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from eng.dist import init_mesh
from eng.model import BaseModel, ExponentialMovingAverage, ParallelSettings, parallelize
from eng.optim import AmpOptimWrapper, OptimWrapper


class WideBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 8), nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        return x + self.down(torch.tanh(self.up(x)))


class Stack(BaseModel):
    """Its last bias has one element, so that some shards have none."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([WideBlock(), WideBlock()])
        self.tail = nn.Linear(3, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        for block in self.blocks:
            inputs = block(inputs)
        out = self.tail(inputs)
        return {"loss": out.square().mean()} if mode == "loss" else out

    def tensor_plan(self) -> dict[str, str]:
        return {"blocks.*.up": "columns", "blocks.*.down": "rows"}


def make(parallel: dict[str, Any] | None) -> Any:
    torch.manual_seed(0)
    model = Stack()
    if parallel is None:
        return model
    settings = ParallelSettings.parse(parallel)
    return parallelize(model, settings, init_mesh(settings.sizes(dist.get_world_size())))


def batch() -> dict[str, Any]:
    return {"inputs": torch.arange(12.0).reshape(4, 3) / 10}


def norms(parallel: dict[str, Any] | None) -> dict[str, Any]:
    """Norm before and weights after a clipped step, for each order of the norm."""
    found = {}
    for order in (1.0, 2.0, 3.0, float("inf")):
        model = make(parallel)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        wrapper = OptimWrapper(optimizer, clip_grad={"max_norm": 0.1, "norm_type": order})
        model.train_step(batch(), wrapper)
        norm = wrapper.message_hub.get_scalar("train/grad_norm").current()
        found[order] = float(norm), [_whole(each) for each in model.parameters()]
    return found


def overflow_in_one_process(parallel: dict[str, Any]) -> tuple[bool, float]:
    """Whether the step after an overflow in a shard of rank 1 is skipped, and the scale then."""
    model = make(parallel)
    before = [_whole(each).clone() for each in model.parameters()]
    # torch asks the mesh of the first gradient alone: that of the last layer, which is not split.
    optimizer = torch.optim.SGD([*model.parameters()][::-1], lr=1.0)
    wrapper = AmpOptimWrapper(optimizer=optimizer, dtype="float16", loss_scale=16.0)
    with wrapper.optim_context(model):
        loss = model(batch()["inputs"]).square().mean()
    wrapper.backward(loss)
    if dist.get_rank() == 1:
        model.module.blocks[0].up.weight.grad.to_local().fill_(torch.inf)
    wrapper.step()
    after = [_whole(each) for each in model.parameters()]
    same = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    return same, float(wrapper.loss_scaler.get_scale())


def dtypes(parallel: dict[str, Any]) -> tuple[set[torch.dtype], torch.dtype]:
    """Dtypes of the parameters, and of a prediction."""
    model = make(parallel)
    outputs = model(batch()["inputs"])
    outputs.mean().backward()
    return {each.dtype for each in model.parameters()}, outputs.dtype


def compiled_blocks(parallel: dict[str, Any]) -> tuple[list[bool], float]:
    """Which modules are compiled, and a loss."""
    model = make(parallel)
    loss = model(batch()["inputs"]).square().mean()
    loss.backward()
    blocks = [block._compiled_call_impl is not None for block in model.module.blocks]
    return [*blocks, model.module.tail._compiled_call_impl is not None], float(loss.detach())


def gradients_of_another_layout(layouts: list[dict[str, Any]]) -> list[tuple[int, list[bool]]]:
    """Count of iterations, and which gradients there are, after a cycle is resumed in layouts."""
    state: dict[str, Any] = {}
    found = []
    for parallel in layouts:
        model = make(parallel)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        wrapper = OptimWrapper(optimizer, accumulative_counts=3)
        if state:
            wrapper.load_accumulation_state(state)
            given = [each.grad is not None for each in model.parameters()]
            found.append((wrapper.inner_count, given))
        else:
            model.train_step(batch(), wrapper)
            state = wrapper.accumulation_state()
    return found


def accumulated(parallel: dict[str, Any] | None) -> dict[str, Any]:
    """Weights after two updates of three iterations each, and what there is inside the second."""
    model = make(parallel)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=3)
    found: dict[str, Any] = {}
    for number in range(6):
        share = {"inputs": batch()["inputs"] + number}
        model.train_step(share, wrapper)
        if number == 3:
            found["has gradients"] = any(each.grad is not None for each in model.parameters())
            found["state"] = {k: v for k, v in wrapper.accumulation_state().items() if k == "lost"}
    found["weights"] = [_whole(each) for each in model.parameters()]
    other = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=3)
    other.load_accumulation_state({"inner_count": 4, "accumulative_counts": 3, **found["state"]})
    found["count"] = other.inner_count
    return found


def refusals(cases: dict[str, tuple[dict[str, Any], Any]]) -> dict[str, str]:
    """The error of each setting with a model, in the same processes."""
    found = {}
    for name, (parallel, model) in cases.items():
        settings = ParallelSettings.parse(parallel)
        try:
            parallelize(model, settings, init_mesh(settings.sizes(2)))
            found[name] = "no error"
        except ValueError as error:
            found[name] = str(error)
    average = ExponentialMovingAverage(make({"shard": 2}).module)
    for name, act in (
        ("call", lambda: average(batch()["inputs"])),
        ("device", lambda: ExponentialMovingAverage(make({"shard": 2}).module, device="cpu")),
    ):
        try:
            act()
        except (RuntimeError, ValueError) as error:
            found[name] = str(error)
    return found


def everything(cases: dict[str, Any]) -> dict[str, Any]:
    """Call functions of this module by name, with their arguments."""
    functions = {
        "norms": norms,
        "overflow": overflow_in_one_process,
        "dtypes": dtypes,
        "compiled": compiled_blocks,
        "accumulated": accumulated,
        "gradients": gradients_of_another_layout,
        "refusals": refusals,
    }
    return {name: functions[name.split()[0]](given) for name, given in cases.items()}


def _whole(parameter: Any) -> torch.Tensor:
    value = parameter.detach()
    return value.full_tensor() if hasattr(value, "full_tensor") else value
