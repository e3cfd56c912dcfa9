"""Record the operators that a model runs, each with the modules that run it."""

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

from eng.utils import override

from .plain_execution import plain_execution, state_kept

__all__ = ["Operator", "TracerWarnings", "trace"]

TracerWarnings: TypeAlias = Literal["all", "no_tracer_warning", "none"]


@dataclass(frozen=True)
class Operator:
    """An operator that ran.

    Attributes:
        kind: Such as ``'aten::linear'``.
        modules: Names of the modules whose forward ran at that time, outermost first.
        inputs: Its inputs, ``torch._C.Value``.
        outputs: Its outputs.
    """

    kind: str
    modules: tuple[str, ...]
    inputs: list[Any]
    outputs: list[Any]


def trace(
    model: nn.Module,
    inputs: tuple[Any, ...],
    names: Mapping[nn.Module, str],
    show: TracerWarnings,
    visit: Callable[[Operator], None],
) -> set[str]:
    """Run a model once and visit its operators in order.

    The parameters, buffers, modes and random numbers of the model are as before afterwards.

    Args:
        model: The model.
        inputs: Arguments of its forward: tensors, or anything that holds tensors.
        names: Name of each module of the model.
        show: Which warnings come through: all, all but those of the tracer, or none.
        visit: Called with each operator, whose inputs and outputs end with the call.

    Returns:
        Names of the modules that were called.
    """
    leaves, structure = pytree.tree_flatten(inputs)
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    listed = list(names.values())

    def run(tensors: Iterable[Tensor]) -> None:
        model(*_rebuild(leaves, structure, places, tensors))
        for operator in _operators(torch._C._get_tracing_state().graph(), (), listed):
            visit(operator)

    with ExitStack() as stack:
        stack.enter_context(_only(show))
        stack.enter_context(torch.no_grad())
        stack.enter_context(state_kept(model))
        stack.enter_context(plain_execution(model))
        called = stack.enter_context(_scopes(names))
        # torch.jit.trace would compile the graph and check it; only the graph is wanted.
        tensors = tuple(leaves[place] for place in places)
        _get_trace_graph(_Recorder(model, run), tensors)  # type: ignore[no-untyped-call]
    return called


class _Recorder(nn.Module):
    """Runs a model, and what looks at the graph of it, while it is traced.

    Afterwards the tracer drops what does not reach an output. So operators count, too, whose
    results end in a Python number or in an object that the tracer does not look into.
    """

    def __init__(self, model: nn.Module, run: Callable[[Iterable[Tensor]], None]) -> None:
        super().__init__()
        self.model = model
        self._run = run

    @override
    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        self._run(tensors)
        return tensors


def _rebuild(leaves: list[Any], structure: Any, places: list[int], given: Iterable[Tensor]) -> Any:
    """The arguments with the tensors that the tracer follows in the places of the original."""
    traced = list(leaves)
    for place, tensor in zip(places, given, strict=True):
        traced[place] = tensor
    return pytree.tree_unflatten(traced, structure)


def _operators(block: Any, modules: tuple[str, ...], names: list[str]) -> Iterator[Operator]:
    """Operators of a graph or of a block in it; each call of a module is a block."""
    for node in block.nodes():
        kind = node.kind()
        if kind == "prim::TracedModuleForward":
            inside = (*modules, names[int(node.s("scope"))])
            for inner in node.blocks():
                yield from _operators(inner, inside, names)
            continue
        if kind == "prim::PythonOp":
            kind = f"{kind}.{node.pyname()}"
        yield Operator(kind, modules, list(node.inputs()), list(node.outputs()))


@contextmanager
def _scopes(names: Mapping[nn.Module, str]) -> Iterator[set[str]]:
    """Mark what runs within each module by the module's number, and note which are called."""
    called: set[str] = set()
    with ExitStack() as stack:
        for number, (module, name) in enumerate(names.items()):
            if isinstance(module, torch.jit.ScriptModule):
                continue  # takes no hooks
            for handle in _mark(module, number, name, called):
                stack.callback(handle.remove)
        yield called


def _mark(module: nn.Module, number: int, name: str, called: set[str]) -> list[Any]:
    def enter(*_: Any) -> None:
        called.add(name)
        torch._C._get_tracing_state().push_scope(str(number))

    def leave(*_: Any) -> None:
        if (state := torch._C._get_tracing_state()) is not None:  # an error ends the tracing
            state.pop_scope()

    first = module.register_forward_pre_hook(enter, prepend=True)
    return [first, module.register_forward_hook(leave, always_call=True)]


@contextmanager
def _only(show: TracerWarnings) -> Iterator[None]:
    with warnings.catch_warnings():
        if show == "none":
            warnings.simplefilter("ignore")
        elif show == "no_tracer_warning":
            warnings.filterwarnings("ignore", category=TracerWarning)
        yield
