"""Record gradient norms of modules and histograms of weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from eng.dl_utils import plain_name
from eng.registry import HOOKS
from eng.utils import DataBatch, override

from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs
from .values import check_number

__all__ = ["ModelStatisticsHook"]


@HOOKS.register_module()
class ModelStatisticsHook(Hook):
    """Records the gradient norm of each module, and histograms, with the visualizer.

    Norms are scalars such as ``grad_norm/backbone.layer1``; histograms are those of the weights,
    ``weights/<name>``, and of their gradients, ``gradients/<name>``. Backends without histograms
    record mean, standard deviation, least and greatest value. Gradients are those of an update, as
    the optimizer sees them: accumulated and clipped. Other iterations cost nothing.

    Args:
        interval: Iterations between two records. Defaults to 100.
        depth: How deep modules are told apart, by the dots of their names. Defaults to 1, the
            children of the model.
        histograms: Whether histograms are recorded as well. Defaults to False.

    Raises:
        HookArgumentError: If a number is below 1. It is a :class:`ValueError`.
    """

    priority = "LOW"

    def __init__(self, interval: int = 100, depth: int = 1, histograms: bool = False) -> None:
        check_number("ModelStatisticsHook: interval", interval, least=1)
        check_number("ModelStatisticsHook: depth", depth, least=1)
        self.interval = interval
        self.depth = depth
        self.histograms = histograms
        self._handles: dict[int, RemovableHandle] = {}

    @override
    def before_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: DataBatch = None
    ) -> None:
        """Wait for the next update of each optimizer at the interval."""
        if not self.every_n_train_iters(runner, self.interval):
            return
        for optimizer in _list_optimizers(runner.optim_wrapper):
            if id(optimizer) not in self._handles:

                def record(optimizer: Optimizer, *_: Any) -> None:
                    self._record(runner, optimizer)

                self._handles[id(optimizer)] = optimizer.register_step_pre_hook(record)

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Record histograms of the weights at the interval."""
        if self.histograms and self.every_n_train_iters(runner, self.interval):
            for name, parameter in _name_parameters(runner.model):
                values = _to_numpy(parameter)
                runner.visualizer.add_histogram(f"weights/{name}", values, runner.iter + 1)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Stop waiting for updates."""
        for handle in self._handles.values():
            handle.remove()
        self._handles.clear()

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self.after_train(runner)

    @torch.no_grad()
    def _record(self, runner: HookRunner, optimizer: Optimizer) -> None:
        self._handles.pop(id(optimizer)).remove()
        own = {id(each) for group in optimizer.param_groups for each in group["params"]}
        squares: dict[str, list[Tensor]] = {}
        step = runner.iter + 1
        for name, parameter in _name_parameters(runner.model):
            if parameter.grad is None or id(parameter) not in own:
                continue
            module = ".".join(name.split(".")[:-1][: self.depth]) or name
            squares.setdefault(module, []).append(_whole(parameter.grad).float().square().sum())
            if self.histograms:
                gradient = _to_numpy(parameter.grad)
                runner.visualizer.add_histogram(f"gradients/{name}", gradient, step)
        if squares:
            norms = torch.stack([torch.stack(each).sum().sqrt().cpu() for each in squares.values()])
            named = zip(squares, norms.tolist(), strict=True)
            scalars = {f"grad_norm/{name}": norm for name, norm in named}
            runner.visualizer.add_scalars(scalars, step=step)


def _list_optimizers(optim_wrapper: Any) -> Iterator[Optimizer]:
    """Optimizers of a wrapper, of several by name."""
    for each in getattr(optim_wrapper, "optim_wrappers", {"": optim_wrapper}).values():
        yield each.optimizer


def _name_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    for name, parameter in model.named_parameters():
        yield plain_name(model, name), parameter


def _whole(tensor: Tensor) -> Tensor:
    """A tensor as a whole; one that is sharded is gathered from all processes."""
    whole: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole.to_dense() if whole.is_sparse else whole


def _to_numpy(tensor: Tensor) -> np.ndarray:
    return _whole(tensor.detach()).float().cpu().numpy()
