"""Count Python calls, instructions and autograd nodes of an iteration, which no clock disturbs."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from eng.model import BaseModel
from eng.optim import OptimWrapper
from eng.registry import OPTIM_WRAPPERS
from eng.runner import Runner

#: Iterations that are counted, once all is warm: two lines of the log are among them.
FIRST, LAST = 30, 50


class Cost(NamedTuple):
    """Calls of Python functions, and instructions of Python, of one iteration."""

    calls: float
    instructions: float


class Tally:
    """Counts what the interpreter does between :meth:`start` and :meth:`stop`, by function."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.instructions: Counter[str] = Counter()

    def start(self) -> None:
        gc.collect()  # what other tests have left may have finalizers
        gc.disable()
        frame: Any = sys._getframe(1)
        while frame is not None:
            frame.f_trace, frame.f_trace_opcodes = self._trace, True
            frame = frame.f_back
        self._before = sys.gettrace()
        sys.settrace(self._trace)

    def stop(self) -> None:
        sys.settrace(self._before)
        gc.enable()
        frame: Any = sys._getframe(1)
        while frame is not None:
            frame.f_trace = None
            frame = frame.f_back

    def _trace(self, frame: Any, event: str, _: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        code = frame.f_code
        if event in ("call", "opcode"):
            name = f"{Path(code.co_filename).name}:{code.co_firstlineno} {code.co_name}"
            (self.calls if event == "call" else self.instructions)[name] += 1
        return self._trace

    @property
    def cost(self) -> Cost:
        count = LAST - FIRST
        return Cost(self.calls.total() / count, self.instructions.total() / count)


class Counted(BaseModel):
    """A linear layer, in whose forward pass counting begins and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(32, 32)
        self.tally = Tally()
        self.done = 0

    def forward(self, inputs: Any, targets: Any = None, mode: str = "tensor") -> Any:
        self.done += 1
        if self.done == FIRST:
            self.tally.start()
        elif self.done == LAST:
            self.tally.stop()
        return {"loss": functional.mse_loss(self.linear(inputs), targets)}


def make_loader() -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(0)
    pair = [torch.randn(8 * (LAST + 5), 32, generator=generator) for _ in range(2)]
    return DataLoader(TensorDataset(*pair), 8)


def count_bare() -> Tally:
    """The loop that everybody writes."""
    model, loader = Counted(), make_loader()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for inputs, targets in loader:
        loss = model(inputs, targets)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.tally


def count_run(work_dir: str, **settings: Any) -> Tally:
    """The same by the runner."""
    runner = make_runner(work_dir, Counted(), **settings)
    # The time in the log is formatted once a second, which would count now and then.
    with patch.object(time, "time", partial(float, 1.7e9)):
        runner.train()
    model: Any = runner.model
    return model.tally


def make_runner(work_dir: str, model: nn.Module, **settings: Any) -> Runner:
    arguments = {
        "train_cfg": {"by_epoch": True, "max_epochs": 1},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.01}},
        "default_hooks": {"logger": {"type": "LoggerHook", "interval": 10}},
        "experiment_name": f"cost_{time.monotonic_ns()}",
    }
    return Runner(
        model=model, work_dir=work_dir, train_dataloader=make_loader(), **arguments | settings
    )


@OPTIM_WRAPPERS.register_module(force=True)
class NodeCounter(OptimWrapper):
    """Counts the nodes of the graph that each loss is backpropagated through."""

    nodes: int = 0

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        self.nodes = count_nodes(loss)
        super().backward(loss, **kwargs)


def count_nodes(loss: Tensor) -> int:
    seen, left = set(), [loss.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            left += [following for following, _ in node.next_functions]
    return len(seen)
