"""Trace the operators of a model, each with the modules that run it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning, _get_trace_graph
from torch.utils import _pytree as pytree
from torch.utils.hooks import RemovableHandle

from eng.utils import override

from .jit_handles import Value
from .plain_execution import plain_execution, state_kept

__all__ = ["Operator", "TracerWarnings", "trace"]

TracerWarnings: TypeAlias = Literal["all", "no_tracer_warning", "none"]


@dataclass(frozen=True)
class Operator:
    """A call of an operator.

    Attributes:
        kind: Its full name, such as ``'aten::linear'``.
        modules: Names of the modules whose forward was running, outermost first.
        inputs: Its inputs, ``torch._C.Value``.
        outputs: Its outputs.
    """

    kind: str
    modules: tuple[str, ...]
    inputs: list[Value]
    outputs: list[Value]


def trace(
    model: nn.Module,
    inputs: tuple[object, ...],
    names: Mapping[nn.Module, str],
    show: TracerWarnings,
    visit: Callable[[Operator], None],
) -> set[str]:
    """Run a model once and visit its operators in order.

    The parameters, buffers and modes of the model and the random number generators are unchanged.

    Args:
        model: The model.
        inputs: Arguments of its forward: tensors or containers of tensors.
        names: Name of each module of the model.
        show: Which warnings to show: all, all except those of the tracer, or none.
        visit: Called with each operator, whose inputs and outputs are only valid during the call.

    Returns:
        Names of the modules that were called.
    """
    leaves, structure = pytree.tree_flatten(inputs)
    positions = [position for position, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    module_names = list(names.values())

    def run(tensors: Iterable[Tensor]) -> None:
        model(*_rebuild(leaves, structure, positions, tensors))
        for operator in _walk(torch._C._get_tracing_state().graph(), (), module_names):
            visit(operator)

    with ExitStack() as stack:
        stack.enter_context(_filter_warnings(show))
        stack.enter_context(torch.no_grad())
        stack.enter_context(state_kept(model))
        stack.enter_context(plain_execution(model))
        called = stack.enter_context(_mark_modules(names))
        # torch.jit.trace would also compile and check the graph.
        tensors = tuple(leaves[position] for position in positions)
        _get_trace_graph(_Recorder(model, run), tensors)  # type: ignore[no-untyped-call]
    return called


class _Recorder(nn.Module):
    """Runs a model and reads its graph while it is traced.

    Afterwards the tracer removes operators that do not contribute to an output. Reading the graph
    earlier keeps those whose results become Python numbers or are in other objects.
    """

    def __init__(self, model: nn.Module, run: Callable[[Iterable[Tensor]], None]) -> None:
        super().__init__()
        self.model = model
        self._run = run

    @override
    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        self._run(tensors)
        return tensors


def _rebuild(
    leaves: list[object],
    structure: pytree.TreeSpec,
    positions: list[int],
    tensors: Iterable[Tensor],
) -> Iterable[object]:
    """Return the arguments with their tensors replaced by those of the tracer."""
    traced = list(leaves)
    for position, tensor in zip(positions, tensors, strict=True):
        traced[position] = tensor
    return pytree.tree_unflatten(traced, structure)


def _walk(block: Any, modules: tuple[str, ...], names: list[str]) -> Iterator[Operator]:
    """Yield the operators of a graph or of a block in it; each call of a module is a block."""
    for node in block.nodes():
        kind = node.kind()
        if kind == "prim::TracedModuleForward":
            inside = (*modules, names[int(node.s("scope"))])
            for inner in node.blocks():
                yield from _walk(inner, inside, names)
            continue
        if kind == "prim::PythonOp":
            kind = f"{kind}.{node.pyname()}"
        yield Operator(kind, modules, list(node.inputs()), list(node.outputs()))


@contextmanager
def _mark_modules(names: Mapping[nn.Module, str]) -> Iterator[set[str]]:
    """Mark operators by the number of the module that runs them, and record called modules."""
    called: set[str] = set()
    with ExitStack() as stack:
        for number, (module, name) in enumerate(names.items()):
            if isinstance(module, torch.jit.ScriptModule):
                continue  # does not support hooks
            for handle in _mark(module, number, name, called):
                stack.callback(handle.remove)
        yield called


def _mark(module: nn.Module, number: int, name: str, called: set[str]) -> list[RemovableHandle]:
    def enter(*_: object) -> None:
        called.add(name)
        torch._C._get_tracing_state().push_scope(str(number))

    def leave(*_: object) -> None:
        if (state := torch._C._get_tracing_state()) is not None:  # an error ends the tracing
            state.pop_scope()

    first = module.register_forward_pre_hook(enter, prepend=True)
    return [first, module.register_forward_hook(leave, always_call=True)]


@contextmanager
def _filter_warnings(show: TracerWarnings) -> Iterator[None]:
    with warnings.catch_warnings():
        if show == "none":
            warnings.simplefilter("ignore")
        elif show == "no_tracer_warning":
            warnings.filterwarnings("ignore", category=TracerWarning)
        yield
