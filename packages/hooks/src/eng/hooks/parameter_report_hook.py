"""Log which parameters are frozen, and which the loss does not depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from eng.dl_utils import unwrap
from eng.registry import HOOKS
from eng.utils import DataBatch, override

from .hook import Hook
from .protocol import HookRunner
from .types import StepOutputs

__all__ = ["ParameterReportHook"]


@HOOKS.register_module()
class ParameterReportHook(Hook):
    """Logs the frozen parameters of a model, and those that receive no gradient.

    Frozen ones are logged when training begins, those without a gradient after the first
    iteration. A module all of whose parameters are such is named in place of them.
    """

    priority = "LOW"

    def __init__(self) -> None:
        self._handles: list[RemovableHandle] = []
        self._used: set[str] = set()

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Log frozen parameters, and watch the gradients of the others."""
        model = unwrap(runner.model)
        named = dict(model.named_parameters())
        frozen = {name for name, each in named.items() if not each.requires_grad}
        self._log(runner, "Frozen parameters", frozen)
        self._stop()
        self._used = set()
        for name, parameter in named.items():
            if parameter.requires_grad:
                note = partial(self._note, name)
                handle = parameter.register_post_accumulate_grad_hook(note)  # type: ignore[no-untyped-call]
                self._handles.append(handle)

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Log parameters without a gradient in the first iteration."""
        if not self._handles:
            return
        self._stop()
        named = unwrap(runner.model).named_parameters()
        trained = {name for name, each in named if each.requires_grad}
        self._log(runner, "Parameters that receive no gradient", trained - self._used)

    def _note(self, name: str, parameter: Tensor) -> None:
        self._used.add(name)

    def _stop(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    @staticmethod
    def _log(runner: HookRunner, title: str, names: Collection[str]) -> None:
        model = unwrap(runner.model)
        lines = [f"  {name}: {count:,}" for name, count in _summarize(model, names)]
        runner.logger.info("\n".join([f"{title}:", *(lines or ["  none"])]))


def _summarize(model: nn.Module, names: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield the names of modules whose parameters are all among some, or else of parameters.

    Yields:
        A name, and its number of values.
    """
    sizes = {name: each.numel() for name, each in model.named_parameters()}
    done: set[str] = set()
    for prefix, module in model.named_modules():
        dotted = f"{prefix}." if prefix else ""
        inner = {f"{dotted}{name}" for name, _ in module.named_parameters()} & set(sizes)
        if inner and not inner & done and inner <= set(names):
            done |= inner
            yield prefix or "(the whole model)", sum(sizes[name] for name in inner)
    yield from ((name, sizes[name]) for name in sizes if name in names and name not in done)
